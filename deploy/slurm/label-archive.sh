#!/bin/bash
# Labels an archive in parts, as an array of Slurm jobs:
#   echolabel manifest /archive/echo --parts 40 --out /scratch/manifests
#   MANIFESTS=/scratch/manifests LABELS=/scratch/labels sbatch --array=0-39 label-archive.sh
# A job that is preempted or runs out of time goes on where it was when Slurm starts it again.
#SBATCH --job-name=echolabel
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@60
set -euo pipefail

part=$(printf 'part-%04d' "$SLURM_ARRAY_TASK_ID")
mkdir -p "$LABELS"
"${ECHOLABEL:-echolabel}" label --manifest "$MANIFESTS/$part.jsonl" --out "$LABELS/$part.parquet" \
  --threads "${SLURM_CPUS_PER_TASK:-1}" &
labelling=$!
stopped=
trap 'stopped=yes; kill -TERM "$labelling"' TERM
code=0
wait "$labelling" || code=$?
# The signal ends the first wait before the program has put its last row down.
if [ -n "$stopped" ]; then
  code=0
  wait "$labelling" || code=$?
  [ -z "${SLURM_JOB_ID:-}" ] || [ "$code" -ne 3 ] || scontrol requeue "$SLURM_JOB_ID"
fi
# 1: the labels are there, and the rows of some files say why they have none.
[ "$code" -eq 1 ] || exit "$code"
