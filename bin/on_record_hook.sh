#!/bin/bash
# Runs when the recording of a stream is finished: $1 is the stream's name, $2 the absolute name of the file. What else
# is known of it is in TAPEDECK_* variables (TAPEDECK_MEDIA_SESSION, TAPEDECK_DURATION_MS, ...). Its output goes to the
# server's log; an exit code other than 0 lets the server run it again (hook.script.retries).

STREAM_NAME=$1
FILE_NAME=$2
HOME_FOLDER=${TAPEDECK_HOME:-$(cd "$(dirname "$0")/.." && pwd)}
LOG_FILE=$HOME_FOLDER/logs/record.log
# A folder to which every file is copied, for example /opt/media; empty: none.
COPY_TO=${COPY_TO:-}

fail() {
    echo "$1 for user $(id -un)" >&2
    exit 1
}

mkdir -p "${LOG_FILE%/*}" && [ -w "${LOG_FILE%/*}" ] || fail "cannot write folder ${LOG_FILE%/*}"
# A line feed in a stream's name must not make a line of its own.
printf '[%s] %s:%s\n' "$(date '+%Y-%m-%d %H:%M:%S')" "${STREAM_NAME//[[:cntrl:]]/?}" "$FILE_NAME" >>"$LOG_FILE" ||
    fail "cannot write $LOG_FILE"

if [ -n "$COPY_TO" ]; then
    [ -d "$COPY_TO" ] && [ -w "$COPY_TO" ] || fail "cannot write folder $COPY_TO"
    cp -- "$FILE_NAME" "$COPY_TO/" || fail "cannot copy $FILE_NAME to folder $COPY_TO"
fi
