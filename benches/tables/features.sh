# What each thing that can be on costs. Sourced by benches/run.
# shellcheck shell=bash

features() {
    echo "## Features: what each adds to a call"
    echo
    echo "Over a mesh with one route to one cluster of three endpoints, unary gRPC calls, 16 in flight. Client and server are one"
    echo "thread with connections in memory, so that what differs between two rows is the feature alone; with what the server"
    echo "does about it: a deadline is sent as \`grpc-timeout\`, which tonic keeps too, and a trace as \`traceparent\`."
    echo
    echo "| on | + instructions | + allocations |"
    echo "|---|---|---|"
    local name names=(plain routes retry budget deadline metrics untraced subscribed traced fault)
    if [ -n "$QUICK" ]; then names=(plain metrics); fi
    for name in "${names[@]}"; do
        # shellcheck disable=SC2046
        each $(quick "320 960" "1600 6400") feature "$name"
    done | paste -d' ' <(printf '%s\n' "${names[@]}") - | awk '
        BEGIN {
            says["routes"] = "ten routes whose headers do not match first, and two weighted clusters"
            says["retry"] = "retry policy"
            says["budget"] = "retry policy with a budget"
            says["deadline"] = "deadline"
            says["metrics"] = "metrics, with a recorder that keeps them"
            says["untraced"] = "spans, without a subscriber"
            says["subscribed"] = "a subscriber that wants spans of the mesh and drops them, without spans"
            says["traced"] = "spans and W3C trace context, with that subscriber"
            says["fault"] = "fault filter that headers steer, idle"
        }
        NR == 1 { instructions = $2; allocations = $3; next }
        { printf "| %s | %+.0f | %+.2f |\n", says[$1], $2 - instructions, $3 - allocations }
        END { printf "\nClient and server without any: %.0f instructions, %.1f allocations.\n", instructions, allocations }'
}
