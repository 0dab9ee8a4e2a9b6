# How things are measured. Sourced by benches/run.
# shellcheck shell=bash

# quick SHORT LONG: the first in a quick run, or else the second.
quick() {
    if [ -n "$QUICK" ]; then echo "$1"; else echo "$2"; fi
}

# Runs on a core of its own where there is one; the servers have the first.
pinned() {
    if [ "$(nproc)" -gt 1 ]; then taskset -c 1 "$@"; else "$@"; fi
}

# start FILE COMMAND...: runs it until the end, once it has printed a line to FILE.
start() {
    local file=$1; shift
    : >"$file"
    "$@" >"$file" &
    children+=($!)
    until [ -s "$file" ]; do
        kill -0 $! 2>/dev/null || { echo "failed: $*" >&2; return 1; }
        sleep 0.05
    done
}

# The newest of what was started.
stop() {
    local last=$((${#children[@]} - 1))
    kill "${children[last]}" 2>/dev/null || true
    wait "${children[last]}" 2>/dev/null || true
    unset "children[last]"
}

# --- the stall gate --------------------------------------------------------------------------------

# Watches each core, with real-time priority; without the right to that it would only see our own load.
gate() {
    gated=
    if ! chrt -f 50 true 2>/dev/null; then return; fi
    local core ports=()
    for core in $(seq 0 $(($(nproc) - 1))); do
        start "$scratch/core.$core" taskset -c "$core" chrt -f 50 "$bench" stalls
        ports+=("$(cat "$scratch/core.$core")")
    done
    export BENCH_STALLS
    BENCH_STALLS=$(IFS=,; echo "${ports[*]}")
    gated=yes
}

# --- times -----------------------------------------------------------------------------------------

# times FILE COMMAND...: measures interleaved, one line of arguments for each in stdin, which COMMAND
# takes. What is measured are numbers; the last one is the share in which the machine stood still. The
# medians of the others go to FILE, a line for each.
times() {
    local file=$1 round index lines tries=0 short=1; shift
    mapfile -t lines
    rm -f "$scratch"/times.*
    while [ "$short" = 1 ] && [ "$tries" -lt $((ROUNDS * PATIENCE)) ]; do
        short=
        tries=$((tries + 1))
        for index in "${!lines[@]}"; do
            round="$scratch/times.$index"
            [ "$(good "$round")" -lt "$ROUNDS" ] || continue
            # The arguments are words.
            # shellcheck disable=SC2086
            "$@" ${lines[index]} >>"$round"
            [ "$(good "$round")" -ge "$ROUNDS" ] || short=1
        done
    done
    for index in "${!lines[@]}"; do
        medians "$scratch/times.$index"
    done >"$file"
}

# How many rounds there were without a stall.
good() {
    [ ! -f "$1" ] || awk -v most="$STALLED" '$NF <= most { n++ } END { print n + 0 }' "$1"
    [ -f "$1" ] || echo 0
}

# The median of each column, of the rounds with the least stalls.
medians() {
    local column columns best=$scratch/best
    wc -l <"$1" >>"$scratch/rounds"
    [ "$(good "$1")" -ge "$ROUNDS" ] || echo >>"$scratch/spoilt"
    awk '{ print $NF, $0 }' "$1" | sort -g | head -n "$ROUNDS" | cut -d' ' -f2- >"$best"
    columns=$(awk 'NR == 1 { print NF - 1 }' "$best")
    for column in $(seq "$columns"); do
        cut -d' ' -f"$column" "$best" | sort -g | sed -n "$((ROUNDS / 2 + 1))p"
    done | paste -sd' '
}

# --- instructions and allocations ------------------------------------------------------------------

# Instructions and allocations of one run: callgrind ARGUMENTS...
callgrind() {
    pinned valgrind --tool=callgrind --callgrind-out-file="$scratch/out" "$bench" "$@" \
        >"$scratch/stdout" 2>"$scratch/stderr" || { cat "$scratch/stderr" >&2; return 1; }
    awk '
        /^c?fn=/ {
            match($0, /\([0-9]+\)/); id = substr($0, RSTART, RLENGTH)
            name = substr($0, RSTART + RLENGTH + 1); if (name != "") names[id] = name
            if (/^cfn=/) called = id
        }
        /^calls=/ { split($1, part, "="); calls[called] += part[2] }
        /^(summary|totals):/ { instructions = $2 }
        END {
            for (id in calls)
                if (names[id] ~ /^(malloc|calloc|realloc|posix_memalign|aligned_alloc)$/)
                    allocations += calls[id]
            print instructions, allocations + 0
        }' "$scratch/out"
}

# Instructions and allocations of one operation, by the difference of two lengths, so that start-up
# cancels: each SHORT LONG ARGUMENTS...; the length is appended to the arguments.
each() {
    local short=$1 long=$2; shift 2
    local few many
    few=$(callgrind "$@" "$short")
    many=$(callgrind "$@" "$long")
    echo "$few $many $short $long" |
        awk '{ n = $6 - $5; printf "%.1f %.2f\n", ($3 - $1) / n, ($4 - $2) / n }'
}

# --- around the tables -----------------------------------------------------------------------------

heading() {
    echo "# Results"
    echo
    echo "By \`${QUICK:+QUICK=1 }ROUNDS=$ROUNDS benches/run\`, $(date -u +%Y-%m-%d), on $(nproc) cores; medians of $ROUNDS interleaved rounds for times."
    echo "$(rustc --version | cut -d' ' -f1,2); $(valgrind --version); $(
        awk '/^name = / { name = $3 } /^version = / { print name, $3 }' Cargo.lock | tr -d '"' |
            grep -E '^(tokio|hyper|hyper-util|h2|tonic|tonic-xds|arc-swap) ' | paste -sd, | sed 's/,/, /g'
    )."
}

footing() {
    [ -f "$scratch/rounds" ] || return 0
    echo
    echo "$(awk '{ n += $1 } END { print n }' "$scratch/rounds") rounds were measured for $(wc -l <"$scratch/rounds") times."
    if [ -n "$gated" ]; then
        echo "Of each the $ROUNDS rounds count in which the machine stood still the least, at most $STALLED % of the time;"
        echo "$( [ -f "$scratch/spoilt" ] && wc -l <"$scratch/spoilt" || echo 0) times could not be had that undisturbed."
    else
        echo "Whether the machine stood still meanwhile could not be watched."
    fi
}
