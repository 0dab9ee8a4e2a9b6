# Publishing while requests are decided. Sourced by benches/run.
# shellcheck shell=bash

snapshot_swap() {
    echo "## Publishing among 10,000 endpoints"
    echo
    echo "What one snapshot costs the writer that puts it into force, alone."
    echo
    echo "| what changes | µs | thousand instructions | allocations |"
    echo "|---|---|---|---|"
    local kind kinds=(endpoint endpoints endpoint-of-many routes) writer
    if [ -n "$QUICK" ]; then kinds=(endpoint-of-many); fi
    for kind in "${kinds[@]}"; do
        echo "swap $kind $(quick 20 200)"
    done | times "$scratch/ns" pinned "$bench"
    for kind in "${kinds[@]}"; do
        each 2 "$(quick 4 12)" swap "$kind"
    done | paste -d' ' <(printf '%s\n' "${kinds[@]}") "$scratch/ns" - | awk "$changes"'
        { printf "| %s | %.0f | %.0f | %.0f |\n", says[$1], $2 / 1000, $3 / 1000, $4 }'
    echo
    echo "What a reader meets that decides without pause while a writer on another core publishes without pause: to this reader"
    echo "(here), to other readers (elsewhere: what sharing the machine costs by itself), or not at all."
    echo
    echo "| what changes | writer | p50 ns | p99.9 ns | longest µs | snapshots while it read |"
    echo "|---|---|---|---|---|---|"
    for kind in "${kinds[@]}"; do
        for writer in none elsewhere here; do
            echo "readers $kind $writer $(quick 200000 4000000)"
        done | times "$scratch/ns" "$bench"
        paste -d' ' <(printf '%s\n' none elsewhere here) "$scratch/ns" | awk -v kind="$kind" "$changes"'
            { printf "| %s | %s | %d | %d | %.1f | %d |\n", says[kind], $1, $2, $3, $4 / 1000, $5 }'
    done
}

changes='
    BEGIN {
        says["endpoint"] = "one endpoint of one cluster of 10,000"
        says["endpoints"] = "all endpoints of one cluster of 10,000"
        says["endpoint-of-many"] = "one endpoint of one of 1,000 clusters of 10"
        says["routes"] = "the routes to 1,000 clusters of 10"
    }'
