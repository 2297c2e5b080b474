#!/bin/bash
#SBATCH --job-name=merge
#SBATCH --time=01:00:00
mgrkit merge pictures
