#!/bin/sh
# How much code a row of the catalogue is, in an instruction set, with its kernels for both element types.
#
#   check_code_size.sh SIZE LIST BUDGET EXCEPTIONS      SIZE: the program size of binutils or LLVM
#
#   LIST         a line "base|avx2|avx512|neon OBJECT" for each object; rows are the objects of src/loss/
#   BUDGET       bytes of code (sections .text…; no tables, no unwinding) a row may have in an instruction set
#   EXCEPTIONS   a line "ROW BYTES" for each row that may have more; # begins a comment
#
# Prints the rows, the largest first, and the sum of each instruction set. A row above its budget is a failure, and so is an
# exception for no row.
set -eu

size=$1
list=$2
budget=$3
exceptions=$4

while read -r isa object; do
    case $object in
    */loss_kernels_*/loss/*) ;;
    *) continue ;;
    esac
    row=${object##*/}
    "$size" -A -d "$object" | awk -v isa="$isa" -v row="${row%%.*}" \
        '$1 ~ /^\.text/ { code += $2 } END { print row, isa, code + 0 }'
done <"$list" | awk -v budget="$budget" -v exceptions="$exceptions" '
    BEGIN {
        while ((getline line <exceptions) > 0) {
            sub(/#.*/, "", line)
            if (split(line, word) == 2)
                allowed[word[1]] = word[2]
        }
    }
    {
        code[$1 " " $2] += $3
        row[$1] = 1
    }
    END {
        sort = "sort -k3,3nr -k1,2"
        for (key in code) {
            split(key, word)
            most = word[1] in allowed ? allowed[word[1]] : budget
            print word[1], word[2], code[key], (code[key] > most ? "above " most : "") | sort
            total[word[2]] += code[key]
            failed += code[key] > most
            rows++
        }
        close(sort)
        for (isa in total)
            print "all rows", isa, total[isa]
        for (name in allowed)
            if (!(name in row)) {
                print "an exception for a row that is not there: " name
                failed++
            }
        if (rows == 0)
            print "no rows"
        exit failed > 0 || rows == 0
    }'
