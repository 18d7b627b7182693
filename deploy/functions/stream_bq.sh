# shellcheck shell=bash disable=SC2034 # functions.sh reads what is set here
# stream_bq writes each delivery to BigQuery as one row.

setting STORE_PAYLOAD true 'true|false' 'is neither true nor false'

TRIGGER=push
PACKAGES=(pipeline clients/bigquery.py)
# Rows of events older than five years are written by load jobs, and permission to run a job is given on the project.
ROLES=("roles/bigquery.dataEditor table/events" "roles/bigquery.jobUser project")
# Without a fixed threshold, the C library keeps up to 64 MB after it has freed a large message.
ENVIRONMENT=(BIGQUERY_TABLE="$PROJECT.$DATASET.events" STORE_PAYLOAD="$STORE_PAYLOAD" MALLOC_MMAP_THRESHOLD_=262144)
# 80 messages wait for their inserts at the same time. Large ones share 45 MiB, so memory peaks at 250 MiB.
FLAGS=(--cpu=1 --memory=512Mi --concurrency=80 --timeout=60s --max-instances=3)
