#!/bin/bash
# bench/bench.py measures each kind of figure, and says what came of it in each form.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

scenarios=('hello, small' 'unix socket, browser' '16 pipelined' '64 KiB' '100 x 1 KiB' '1 MiB file' 'POST 16 KiB'
    'new connections' '10 of 32' '4 threads' start 'idle worker' executable)
timeout 200 "${PYTHON:-python3}" "$top/bench/bench.py" ./asynwsgi bench/raw ./asynwsgi-load --rounds 2 --seconds 0.05 \
    --only none --scenario "${scenarios[@]}" --json "$folder/json" --html "$folder/html" >"$folder/table" 2>"$folder/log" || {
    cat "$folder/log"
    exit 1
}

# Of each scenario asynwsgi has a figure in the table and a bar, and no server failed.
for scenario in "${scenarios[@]}"; do
    if ! grep -qE "^\| $scenario \| [0-9]" "$folder/table" && [ "$scenario" != '4 threads' ] ||
        ! grep -q "<h2>$scenario, " "$folder/html" || ! grep -qF "\"$scenario\": {" "$folder/json"; then
        cat "$folder/table"
        echo "nothing of $scenario"
        exit 1
    fi
done
if grep -E 'fails' "$folder/table" || grep -E '"failed": \{"' "$folder/json"; then
    cat "$folder/log"
    exit 1
fi
# A limit is judged, by the figures that it names.
grep -qE '^\| hello, small \| 1\.15 x raw \| [0-9.]+ \| (\*\*not held\*\*|held) \|$' "$folder/table"

# What `make profiled` compiles for is served.
"${PYTHON:-python3}" "$top/bench/train.py" ./asynwsgi ./asynwsgi-load --seconds 0.05
