#!/bin/bash
# script/check-banned refuses each banned call, and nothing that only looks like one.
set -eu
check=$(dirname "$0")/../../script/check-banned
file=$(mktemp)
trap 'rm "$file"' EXIT

for call in 'strcpy(a, b)' 'n = atoi (s)' 'x=strtoul(s, 0, 10)' 'alloca(3)' 'vsprintf(a, b, c)'; do
    echo "    $call;" >"$file"
    ! "$check" "$file" || { echo "not refused: $call"; exit 1; }
done
echo 'snprintf(a, n, b); target_strcpy(a); fgets(a, n, f); not_atoi(s); int gets;' >"$file"
"$check" "$file"
