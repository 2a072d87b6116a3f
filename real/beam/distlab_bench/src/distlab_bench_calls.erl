%% The latency of gen_server:call/3: one call after the other, each timed.
-module(distlab_bench_calls).

-export([measure/4]).

-define(CALL_TIMEOUT, 30_000).

-spec measure(node(), non_neg_integer(), non_neg_integer(), pos_integer()) ->
    {calls, non_neg_integer(), binary()}.
measure(Node, Bytes, WarmUp, Time) ->
    Payload = rand:bytes(Bytes),
    Begin = now_ns(),
    Early = loop(Node, Payload, Begin + WarmUp, []),
    Late = loop(Node, Payload, now_ns() + Time, []),
    {calls, length(Early) + length(Late), <<<<Elapsed:64>> || Elapsed <- Late>>}.

loop(Node, Payload, Until, Elapsed) ->
    Before = now_ns(),
    case Before < Until of
        true ->
            Payload = gen_server:call({distlab_bench_echo, Node}, Payload, ?CALL_TIMEOUT),
            loop(Node, Payload, Until, [now_ns() - Before | Elapsed]);
        false ->
            Elapsed
    end.

now_ns() ->
    erlang:monotonic_time(nanosecond).
