"""One message from the topic in, one BigQuery row out."""
