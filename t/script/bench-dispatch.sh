#!/bin/bash
# The programs that bench/dispatch.py measures do the work that they are to, and it reads what they say.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

phases='add change earlier later remove fire again fire-moved'

# works PROGRAM BACKEND: all 12 eventfds have their turn, three at a time, and all timers their phases.
works() {
    local name count rest turns timers=
    read -r name turns rest <<<"$(timeout 60 "$1" turns "$2" 12 3 60)"
    # shellcheck disable=SC2034 # rest is the time
    while read -r name count rest; do
        [ "$count" = 40 ] && timers="$timers $name"
    done <<<"$(timeout 60 "$1" timers "$2" 40)"
    # Who is told to stop may go on to the end of a turn.
    if [ "$turns" -lt 60 ] || [ "$turns" -ge 63 ] || [ "$timers" != " $phases" ]; then
        echo "$1 $2: $turns events; timers:$timers"
        touch "$folder/failed"
    fi
}

for program in bench/loop_dispatch bench/loop_libev bench/loop_libuv; do
    [ -x "$program" ] || continue
    for backend in $("$program" backends); do
        works "$program" "$backend" &
    done
done
wait
[ ! -e "$folder/failed" ]

timeout 200 "${PYTHON:-python3}" "$top/bench/dispatch.py" bench/loop_dispatch --targets 4 --timers 40 --rounds 1 \
    --json "$folder/json" >"$folder/table"
figures='"ns_least"'
# Neither without valgrind nor with sanitizers does it have instructions.
! valgrind bench/loop_dispatch backends >/dev/null 2>&1 || figures="$figures \"instructions\""
for figure in $figures; do
    # Of 1 and 4 ready with each back end, and of each phase with one.
    found=$(grep -c "$figure" "$folder/json")
    [ "$found" = $((2 * $(bench/loop_dispatch backends | wc -l) + 8)) ] || {
        cat "$folder/table"
        echo "$found times $figure"
        exit 1
    }
done
