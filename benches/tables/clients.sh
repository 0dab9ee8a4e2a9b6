# Clients beside one another: gRPC and HTTP/1.1. Sourced by benches/run.
# shellcheck shell=bash

# The servers, which run until the end.
serve() {
    [ -z "${ports:-}" ] || return 0
    start "$scratch/ports" taskset -c 0 "$bench" server
    ports=$(cat "$scratch/ports")
}

# A row's ratios are to hyper-util's legacy client, or to bare tonic with as many connections.
rows='
    function base(i, of) {
        of = name[i] ~ /^http1/ ? "http1-legacy" : "tonic-" (match(name[i], /-[0-9]/) ? substr(name[i], RSTART + 1, 1) : 1)
        for (of_row = 1; of_row <= NR; of_row++) if (name[of_row] == of) return of_row
        return i
    }'

# clients IN-FLIGHT NAME...
clients() {
    local in_flight=$1 name count; shift
    count=$(quick 6400 25600)
    for name; do
        echo "client $name $ports $in_flight $count"
    done | times "$scratch/ns" pinned "$bench"
    for name; do
        # shellcheck disable=SC2046,SC2086
        each $(quick "256 768" "1024 4096") client "$name" $ports "$in_flight"
    done >"$scratch/work"
    printf '%s\n' "$@" | paste -d' ' - "$scratch/ns" "$scratch/work" | awk -v in_flight="$in_flight" "$rows"'
        { name[NR] = $1; ns[NR] = $2; work[NR] = $3; allocations[NR] = $4 }
        END {
            for (i = 1; i <= NR; i++)
                printf "| %s | %d | %.1f | %.2f | %.1f | %.2f | %.1f |\n", name[i], in_flight,
                    work[i] / 1000, work[i] / work[base(i)], ns[i] / 1000, ns[i] / ns[base(i)], allocations[i]
        }'
}

head_of_clients() {
    echo
    echo "| client | in flight | thousand instructions | ratio | CPU µs | ratio | allocations |"
    echo "|---|---|---|---|---|---|---|"
}

channel() {
    serve
    echo "## Unary gRPC calls, 100 bytes, client side only"
    echo
    echo "The servers run in another process, on another core. A number is how many connections a client has; ratios are to"
    echo "as many bare tonic channels used in turn, and to one for the first two, which frame messages by hand over"
    echo "\`h2\` and over hyper's \`SendRequest\`."
    about_full
    head_of_clients
    local in_flight
    for in_flight in $(quick 64 "16 64"); do
        # shellcheck disable=SC2046
        clients "$in_flight" $(quick "tonic-1 tonic-6 mesh-1 mesh-6-full tonic-xds-6-full" \
            "h2 hyper tonic-1 tonic-3 tonic-6 mesh-1 mesh-3 mesh-6-full tonic-xds-3 tonic-xds-6-full")
    done
}

about_full() {
    echo
    echo "\`full\` is a mesh's whole policy, from a control plane: ten routes whose headers do not match before the one that"
    echo "does, two weighted clusters (90/10) of three endpoints, a retry policy, a stream deadline of 15 s, limits on"
    echo "requests, and metrics with a recorder that keeps them. tonic-xds has the same control plane and resources, and less"
    echo "to do: it ignores the deadline and the limits, has no metrics of calls, and balances by the less loaded of two."
}

# Two threads, and a fixed rate: without valgrind, under which there is neither.
pace() {
    serve
    echo "## Unary gRPC calls on two threads"
    echo
    echo "64 in flight, as above, but on a runtime of two threads: all cores, which the servers share. CPU is that of all threads"
    echo "of the client."
    echo
    echo "| client | CPU µs | ratio |"
    echo "|---|---|---|"
    local names=(tonic-1 tonic-3 tonic-6 mesh-1 mesh-3 mesh-6-full tonic-xds-6-full) name
    if [ -n "$QUICK" ]; then names=(tonic-6 mesh-6-full); fi
    for name in "${names[@]}"; do
        echo "client $name $ports 64x2 $(quick 6400 51200)"
    done | times "$scratch/ns" "$bench"
    printf '%s\n' "${names[@]}" | paste -d' ' - "$scratch/ns" | awk "$rows"'
        { name[NR] = $1; ns[NR] = $2 }
        END { for (i = 1; i <= NR; i++) printf "| %s | %.1f | %.2f |\n", name[i], ns[i] / 1000, ns[i] / ns[base(i)] }'
    echo
    echo "## Unary gRPC calls, 2,000 each second"
    echo
    echo "Whatever is in flight; one thread, and another to keep the pace, whose wake-ups are part of the latency, which counts"
    echo "from when a call was due. CPU is that of the thread that calls. Each call wakes a sleeping thread, twice."
    echo
    echo "| client | CPU µs | ratio | p50 µs | ratio | p99 µs | ratio |"
    echo "|---|---|---|---|---|---|---|"
    for name in "${names[@]}"; do
        echo "client $name $ports 2000/s $(quick 1000 6000)"
    done | times "$scratch/ns" pinned "$bench"
    printf '%s\n' "${names[@]}" | paste -d' ' - "$scratch/ns" | awk "$rows"'
        { name[NR] = $1; ns[NR] = $2; half[NR] = $3; late[NR] = $4 }
        END {
            for (i = 1; i <= NR; i++) {
                b = base(i)
                printf "| %s | %.1f | %.2f | %.0f | %.2f | %.0f | %.2f |\n", name[i], ns[i] / 1000, ns[i] / ns[b],
                    half[i] / 1000, half[i] / half[b], late[i] / 1000, late[i] / late[b]
            }
        }'
}

http1() {
    serve
    echo "## GET over HTTP/1.1, 128 bytes, client side only"
    echo
    echo "Ratios are to hyper-util's legacy client; \`raw\` is hyper's \`SendRequest\` without a pool."
    head_of_clients
    local in_flight
    for in_flight in $(quick 64 "16 64"); do
        # shellcheck disable=SC2046
        clients "$in_flight" $(quick "" http1-raw) http1-legacy http1-mesh
    done
}
