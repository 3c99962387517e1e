#!/bin/bash
# Runs a sample script where its absolute paths exist, and shows the files that it left there. $1 is the sample, $2 a
# command that changes the scene first; the rest are the sample's arguments. Needs namespaces of its own:
#     unshare --map-root-user --mount in_namespace.sh ...
sample=$1
change=$2
shift 2
for folder in /usr/local /var /opt; do mount -t tmpfs test $folder || exit 99; done
home=/usr/local/FlashphonerWebCallServer
mkdir -p $home/records $home/logs /var/www/html/stream_records /opt/media
printf media >"$2"
eval "$change"
"$sample" "$@"
code=$?
find $home/logs /var /opt -type f -exec sh -c 'echo "$1=$(cat "$1")"' - {} \; | sort
exit $code
