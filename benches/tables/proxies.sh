# The sidecar beside Envoy and a proxy of hyper's parts. Sourced by benches/run.
# shellcheck shell=bash

# Sets `proxies` to those that are there.
find_proxies() {
    cargo build --release --locked --quiet -p mesh-sidecar --manifest-path ../../Cargo.toml --target-dir target
    BENCH_SIDECAR=$PWD/target/release/mesh-sidecar
    BENCH_ENVOY=$(compgen -G "$PWD/../../.ci/venv/lib/python*/site-packages/envoy/_bin/envoy" || true)
    export BENCH_SIDECAR BENCH_ENVOY
    proxies=(bare sidecar)
    if [ -n "$BENCH_ENVOY" ]; then proxies+=(envoy); else echo "Envoy is not installed: run .ci/setup --peers" >&2; fi
}

# behind PROTOCOL ROUTES CLUSTERS
behind() {
    start "$scratch/behind" taskset -c 0 "$bench" behind "$@"
    back=$(cat "$scratch/behind")
}

# proxy NAME PROTOCOL PATH LOAD COUNT
proxy() {
    # shellcheck disable=SC2086
    taskset -c 0 "$bench" proxy "$1" "$2" "$3" $back "$4" "$5"
}

# Instructions of a proxy for one request: proxy_work NAME PROTOCOL PATH
proxy_work() {
    local count counted=() load=16
    if [ "$2" != http1 ]; then load=32; fi
    for count in $(quick "128 512" "512 2048"); do
        BENCH_UNDER="valgrind --tool=callgrind --callgrind-out-file=$scratch/out --log-file=$scratch/stderr" \
            proxy "$1" "$2" "$3" "$load" "$count" >/dev/null
        counted+=("$count" "$(awk '/^(summary|totals):/ { print $2; exit }' "$scratch/out")")
    done
    echo "${counted[@]}" | awk '{ printf "%.0f\n", ($4 - $2) / ($3 - $1) }'
}

proxies() {
    find_proxies
    echo "## The sidecar beside Envoy"
    echo
    echo "A proxy of one thread has one core; who asks and three servers have the other. A table of ten prefix routes, the last"
    echo "of which takes the requests, with a timeout, a retry policy and a timeout for each try, from one control plane. \`bare\`"
    echo "is hyper's server before hyper-util's pools, and forwards to the servers in turn: no routes, no timeouts, no retries,"
    echo "no numbers, no header of its own. HTTP/1.1: 64 connections; HTTP/2 and gRPC: 16 with 8 requests each. Answers of 128"
    echo "bytes; gRPC messages of 100."
    echo
    echo "| protocol | proxy | thousand instructions | to bare | CPU µs | to bare | to Envoy |"
    echo "|---|---|---|---|---|---|---|"
    local protocol name load
    for protocol in $(quick http1 "http1 http2 grpc"); do
        behind "$protocol" 10 0
        if [ "$protocol" = http1 ]; then load=64; else load=128; fi
        for name in "${proxies[@]}"; do
            echo "$name $protocol /cart/7 $load $(quick 6400 38400)"
        done | times "$scratch/proxies" proxy
        for name in "${proxies[@]}"; do
            echo "$name $protocol $(proxy_work "$name" "$protocol" /cart/7)"
        done | paste -d' ' - "$scratch/proxies" | awk '
            { name[NR] = $1; work[NR] = $3; ns[NR] = $7; protocol = $2; at[$1] = NR }
            function to(i, of, values) { return of in at ? sprintf("%.2f", values[i] / values[at[of]]) : "" }
            END {
                for (i = 1; i <= NR; i++)
                    printf "| %s | %s | %.1f | %s | %.1f | %s | %s |\n", protocol, name[i], work[i] / 1000,
                        to(i, "bare", work), ns[i] / 1000, to(i, "bare", ns), to(i, "envoy", ns)
            }'
        stop
    done
    paced_proxies
    proxy_routes
    proxy_sizes
}

paced_proxies() {
    echo
    echo "2,000 requests each second. Added is what a proxy adds to the time of a request without one, which counts from when it"
    echo "was due. Each request wakes a sleeping proxy twice."
    echo
    echo "| protocol | proxy | added p50 µs | to Envoy | added p99 µs | to Envoy | CPU µs | to Envoy |"
    echo "|---|---|---|---|---|---|---|---|"
    local protocol name
    for protocol in $(quick http1 "http1 http2 grpc"); do
        behind "$protocol" 10 0
        for name in direct "${proxies[@]}"; do
            echo "$name $protocol /cart/7 2000/s $(quick 1000 6000)"
        done | times "$scratch/proxies" proxy
        printf '%s\n' direct "${proxies[@]}" | paste -d' ' - "$scratch/proxies" | awk -v protocol="$protocol" '
            { name[NR] = $1; ns[NR] = $5; half[NR] = $6 - half[1]; late[NR] = $7 - late[1]; at[$1] = NR }
            NR == 1 { half[1] = $6; late[1] = $7 }
            function to(i, values) { return "envoy" in at ? sprintf("%.2f", values[i] / values[at["envoy"]]) : "" }
            END {
                for (i = 2; i <= NR; i++)
                    printf "| %s | %s | %.0f | %s | %.0f | %s | %.1f | %s |\n", protocol, name[i], half[i] / 1000,
                        to(i, half), late[i] / 1000, to(i, late), ns[i] / 1000, to(i, ns)
            }'
        stop
    done
}

proxy_routes() {
    echo
    echo "10,000 prefix routes over HTTP/1.1, the first and the last of which takes the requests."
    echo
    echo "| proxy | thousand instructions, first | last | ratio | CPU µs, first | last | ratio |"
    echo "|---|---|---|---|---|---|---|"
    local name path
    behind http1 "$(quick 1000 10000)" 0
    for name in "${proxies[@]:1}"; do
        for path in /0/cart /cart; do
            echo "$name http1 $path 64 $(quick 3200 19200)"
        done | times "$scratch/proxies" proxy
        for path in /0/cart /cart; do
            # Envoy looks at one route after the other, which takes valgrind very long.
            if [ "$name" = envoy ]; then echo 0; else proxy_work "$name" http1 "$path"; fi
        done | paste -d' ' - "$scratch/proxies" | awk -v name="$name" '
            { work[NR] = $1 / 1000; us[NR] = $5 / 1000 }
            END {
                if (work[1]) counted = sprintf("%.1f | %.1f | %.2f", work[1], work[2], work[2] / work[1])
                else counted = "| |"
                printf "| %s | %s | %.1f | %.1f | %.2f |\n", name, counted, us[1], us[2], us[2] / us[1]
            }'
    done
    stop
}

proxy_sizes() {
    echo
    echo "Memory in MiB (all that is in memory, the program included) after the first answer and after 19,200 requests on 64"
    echo "connections, and the milliseconds from start to the first answer, over HTTP/1.1. One cluster is asked for: here the"
    echo "others sleep, and Envoy, as it does unless told otherwise, makes them all."
    echo
    echo "| proxy | routes | clusters of 10 endpoints | MiB | more than with 10 routes | after load | ms |"
    echo "|---|---|---|---|---|---|---|"
    local name size
    for size in $(quick 10:0 "10:0 1001:1000 10000:0"); do
        behind http1 "${size%:*}" "${size#*:}"
        for name in "${proxies[@]}"; do
            # Its routes are none.
            [ "$name $size" = "bare 10:0" ] || [ "$name" != bare ] || continue
            echo "$name http1 /cart 64 $(quick 1280 19200)" | times "$scratch/proxies" proxy
            echo "$name $(cat "$scratch/proxies")"
        done | awk -v routes="${size%:*}" -v clusters="${size#*:}" -v file="$scratch/least" '
            BEGIN { while ((getline line <file) > 0) { split(line, part); least[part[1]] = part[2] } }
            {
                if (!($1 in least)) { least[$1] = $3; print $1, $3 >>file }
                printf "| %s | %s | %s | %.1f | %.1f | %.1f | %d |\n", $1, $1 == "bare" ? "" : routes,
                    $1 == "bare" ? "" : clusters, $3 / 1024, ($3 - least[$1]) / 1024, $4 / 1024, $2
            }'
        stop
    done
    rm -f "$scratch/least"
    echo
    echo "Memory of $(quick 200 1,000) clients over HTTP/1.1, each with a connection to a server."
    echo
    echo "| proxy | KiB a pair of connections | to Envoy |"
    echo "|---|---|---|"
    behind http1 10 0
    for name in "${proxies[@]}"; do
        # shellcheck disable=SC2086
        echo "$name $back $(quick 200 1000)"
    done | times "$scratch/proxies" "$bench" connections
    printf '%s\n' "${proxies[@]}" | paste -d' ' - "$scratch/proxies" | awk -v count="$(quick 200 1000)" '
        { name[NR] = $1; each[NR] = $2 / count; at[$1] = NR }
        END {
            for (i = 1; i <= NR; i++)
                printf "| %s | %.1f | %s |\n", name[i], each[i],
                    "envoy" in at ? sprintf("%.2f", each[i] / each[at["envoy"]]) : ""
        }'
    stop
}
