#!/bin/sh
# Nightly: keep the groups as Terraform and as a snapshot, and say so when they changed since yesterday.
# Run by the jml account; the folder is a clone of the repository that keeps the export.
set -eu
cd "${1:?folder of the export}"
jml groups export --format terraform > groups.tf.new
mv groups.tf.new groups.tf
if [ -f groups.json ]; then
    # 3: something changed; anything else but 0 is a failure of its own
    jml groups diff groups.json || { code=$?; [ "$code" -eq 3 ] || exit "$code"; echo "groups changed since yesterday"; }
fi
jml groups export --format json > groups.json.new
mv groups.json.new groups.json
