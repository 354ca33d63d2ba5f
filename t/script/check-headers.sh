#!/bin/bash
# Every public header compiles alone, and script/check-headers refuses one that does not.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
check=$top/script/check-headers
command -v "${CXX:-c++}" >/dev/null || { echo 'no C++ compiler'; exit 77; }
tree=$(mktemp -d)
trap 'rm -r "$tree"' EXIT

"$check" "$top"

mkdir -p "$tree"/{dispatch,http}/asynwsgi
guard() {
    printf '#ifdef __cplusplus\nextern "C" {\n#endif\n%s\n#ifdef __cplusplus\n}\n#endif\n' "$1"
}
guard 'int dispatch_run(void);' >"$tree/dispatch/asynwsgi/dispatch.h"
guard '#include <asynwsgi/dispatch.h>' >"$tree/http/asynwsgi/http.h"
"$check" "$tree"

refused() {
    guard "$1" >"$tree/dispatch/asynwsgi/wrong.h"
    ! "$check" "$tree" || { echo "not refused: $1"; exit 1; }
}
refused 'size_t needs_stddef(void);'
refused 'extern int class;'
refused 'struct not_guarded { int a; };'
refused '#include <asynwsgi/http.h>'

echo 'int no_linkage(void);' >"$tree/dispatch/asynwsgi/wrong.h"
! "$check" "$tree" || { echo 'not refused: no extern "C"'; exit 1; }
