"""The playground: one page that shows the running stack, drives it and breaks it."""
