#!/bin/sh
# The objects hold the instructions they were compiled for: the wide ones are wide, the baseline runs anywhere.
#
#   check_isa_objects.sh OBJDUMP LIST      LIST: a line "base|avx2|avx512 OBJECT" for each object
#
#   base      no VEX or EVEX encoding (their mnemonics begin with v), hence neither ymm nor zmm
#   avx2      ymm, but no zmm and no mask register
#   avx512    zmm
#
# A kernel that silently fell back to narrow instructions, or a wide one in code every processor runs, is a failure.
set -eu

objdump=$1
list=$2
failed=0
objects=0

complain() {
    echo "$1: $2" >&2
    failed=1
}

has() {
    printf '%s\n' "$code" | grep -qE "$1"
}

while read -r isa object; do
    objects=$((objects + 1))
    code=$("$objdump" -d --no-show-raw-insn "$object")
    has '^ +[0-9a-f]+:' || continue # only data
    case $isa in
    base)
        # verr and verw are the only old instructions with that letter; compilers never emit them
        ! has '^ +[0-9a-f]+:[[:space:]]+v[a-z]' || complain "$object" "baseline code with AVX instructions"
        ;;
    avx2)
        has '%ymm' || complain "$object" "no 32-byte vectors"
        ! has '%zmm|%k[0-7]' || complain "$object" "AVX-512 in AVX2 code"
        ;;
    avx512)
        has '%zmm' || complain "$object" "no 64-byte vectors"
        ;;
    *) complain "$object" "unknown instruction set $isa" ;;
    esac
done <"$list"

[ "$objects" -gt 0 ] || complain "$list" "no objects"
echo "$objects objects disassembled"
exit $failed
