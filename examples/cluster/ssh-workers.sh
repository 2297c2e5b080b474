#!/bin/bash
# ssh-workers.sh FOLDER WORKERS HOST...: a scheduler here, WORKERS on each host, until Ctrl-C.
set -u
cd "$1" || exit
worker="dask worker --scheduler-file cluster.json --nthreads 1 --nworkers $2 --death-timeout 60"
shift 2
rm -f cluster.json
trap 'kill $(jobs -p) 2> /dev/null' EXIT
dask scheduler --scheduler-file cluster.json &
for host; do
  ssh -n "$host" "cd $PWD && $worker" &
done
wait
