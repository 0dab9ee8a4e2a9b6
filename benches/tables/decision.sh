# The decision beside its hand-fused counterpart. Sourced by benches/run.
# shellcheck shell=bash

decision() {
    echo "## Decision: route, weighted cluster, endpoint, limits"
    echo
    echo "Beside the same decision fused by hand over plain data (sorted prefixes, one host). Both load what an update would"
    echo "swap, find one of so many prefix routes, look up and compare the one header that it asks for, choose by weight one of"
    echo "two clusters, count the request against its limit, choose one of so many endpoints and count the request there and how"
    echo "it ended; and both read the clock twice and keep three counters, as an observer would. The mesh also folds cases, looks"
    echo "for drops and filters, and asks whether the endpoint can be reached. The loop's own cost is taken off."
    echo
    echo "| routes, endpoints, balancing | mesh ns | fused ns | ratio | mesh instructions | fused | ratio | mesh allocations |"
    echo "|---|---|---|---|---|---|---|---|"
    local lb size sizes=("10 3" "1000 1000" "10000 1000" "10000 10000") lbs=(least-request round-robin)
    if [ -n "$QUICK" ]; then sizes=("10 3") lbs=(least-request); fi
    for lb in "${lbs[@]}"; do
        for size in "${sizes[@]}"; do
            # shellcheck disable=SC2086
            decision_row $size "$lb"
        done
    done
}

decision_row() {
    local what="$1 $2 $3" name
    for name in nothing mesh fused; do
        echo "decision $name $what 300000"
    done | times "$scratch/ns" pinned "$bench"
    for name in nothing mesh fused; do
        # shellcheck disable=SC2086
        each 1000 6000 decision "$name" $what
    done >"$scratch/work"
    paste -d' ' "$scratch/ns" "$scratch/work" | awk -v what="$what" '
        { ns[NR] = $1; instructions[NR] = $2; allocations[NR] = $3 }
        END {
            gsub(" ", ", ", what)
            m = ns[2] - ns[1]; f = ns[3] - ns[1]
            i = instructions[2] - instructions[1]; j = instructions[3] - instructions[1]
            printf "| %s | %.0f | %.0f | %.2f | %.0f | %.0f | %.2f | %.2f |\n",
                what, m, f, m / f, i, j, i / j, allocations[2]
        }'
}
