"""Start workers of Dask as jobs of SLURM, run a command on them, and end them.

python jobqueue.py mgrkit spectrograms audio pictures
"""

import signal
import subprocess
import sys

from dask_jobqueue import SLURMCluster

if __name__ == "__main__":
    # A job with 4 cores: 4 workers of one thread each, with 2 GB each.
    with SLURMCluster(cores=4, processes=4, memory="8GB", walltime="04:00:00") as cluster:
        cluster.adapt(minimum_jobs=8, maximum_jobs=8)  # always 8; scale() replaces no ended ones
        signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for the command to handle
        done = subprocess.run([*sys.argv[1:], "--cluster", cluster.scheduler_address])
    sys.exit(done.returncode)
