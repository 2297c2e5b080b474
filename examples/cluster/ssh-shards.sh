#!/bin/bash
# ssh-shards.sh FOLDER HOST...: a share of the work on each host; merge here.
set -u
folder=$1
shift
shards=$#
printf '%s\n' "$@" | nl -w 1 -s ' ' | xargs -P 0 -L 1 bash -c '
  exec ssh -tt "$3" "cd $0 && mgrkit spectrograms audio pictures --quiet --shard $2/$1 --workers \$(nproc)"
' "$folder" "$shards"
cd "$folder" && mgrkit merge pictures
