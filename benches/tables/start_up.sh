# Starting with many clusters. Sourced by benches/run.
# shellcheck shell=bash

start_up() {
    serve
    echo "## Start-up with many clusters"
    echo
    echo "From nothing to the first call answered (ready) and to all accepted (settled), against a control plane in another"
    echo "process. Bytes are those of the connection, both ways. Memory is what the process has grown by when it has settled, but"
    echo "for its code; the last column, what each endpoint after a cluster's first adds. No endpoint is connected to but the one"
    echo "called. Until a cluster is first used both keep its resources only; the requests of tonic-xds take more than they."
    echo
    echo "| client | clusters × endpoints | requests | KiB up | MiB down | ready ms | settled ms | MiB | KiB a cluster | KiB a further endpoint |"
    echo "|---|---|---|---|---|---|---|---|---|---|"
    local name size
    for size in $(quick 1000 "1000 10000"); do
        for name in mesh mesh-delta tonic-xds; do
            # Each of its clusters is a request that names all before it.
            [ "$name $size" != "tonic-xds 10000" ] || continue
            for endpoints in 1 10; do
                echo "$name $size $endpoints"
            done | times "$scratch/start" start_up_once
            paste -d' ' <(printf '1\n10\n') "$scratch/start" | awk -v name="$name" -v size="$size" '
                {
                    printf "| %s | %d × %d | %d | %.0f | %.1f | %d | %d | %.1f | %.1f | ", name, size, $1, $2, $3 / 1024,
                        $4 / 1048576, $5, $6, $7 / 1024, $7 / size
                    if (NR == 1) one = $7
                    # Most of what it has grown by are the buffers of its requests.
                    if (NR == 1 || name == "tonic-xds") print "|"; else printf "%.2f |\n", ($7 - one) / size / ($1 - 1)
                }'
        done
    done
}

# start_up_once NAME CLUSTERS ENDPOINTS
start_up_once() {
    start "$scratch/plane" taskset -c 0 "$bench" plane "$2" "$3" "${ports%%,*}"
    # shellcheck disable=SC2046
    pinned "$bench" start-up "$1" $(cat "$scratch/plane") || { stop; return 1; }
    stop
}
