#!/bin/bash
#SBATCH --job-name=mgrkit
#SBATCH --array=1-8
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --time=04:00:00
# The 8 below is that of --array: SLURM_ARRAY_TASK_COUNT is 1 when one share is queued again.
mgrkit spectrograms audio pictures --quiet \
  --shard "$SLURM_ARRAY_TASK_ID/8" --workers "$SLURM_CPUS_PER_TASK"
