%% Throughput: messages of one size, so many under way that the connection is never idle. The receiver
%% acknowledges each, and only what was acknowledged counts.
-module(distlab_bench_flood).

-export([start_sink/0, measure/5]).

-define(SINK, distlab_bench_sink).
-define(SILENCE_MS, 30_000).

-spec start_sink() -> pid().
start_sink() ->
    spawn(fun() ->
        register(?SINK, self()),
        sink()
    end).

sink() ->
    receive
        {data, From, _Payload} ->
            From ! ack,
            sink()
    end.

-spec measure(node(), non_neg_integer(), pos_integer(), non_neg_integer(), pos_integer()) ->
    {flood, non_neg_integer(), non_neg_integer(), non_neg_integer()}.
measure(Node, Bytes, Window, WarmUp, Time) ->
    Message = {data, self(), rand:bytes(Bytes)},
    To = {?SINK, Node},
    [To ! Message || _ <- lists:seq(1, Window)],
    Early = pump(To, Message, now_ns() + WarmUp, 0),
    Begin = now_ns(),
    Counted = pump(To, Message, Begin + Time, 0),
    Elapsed = now_ns() - Begin,
    ok = acknowledged(Window),
    {flood, Early + Counted + Window, Counted, Elapsed}.

%% One message for each that has arrived. Ends with an acknowledgement, so that whole messages are timed.
pump(To, Message, Until, Count) ->
    ok = acknowledged(1),
    To ! Message,
    case now_ns() < Until of
        true -> pump(To, Message, Until, Count + 1);
        false -> Count + 1
    end.

acknowledged(0) ->
    ok;
acknowledged(Count) ->
    receive
        ack -> acknowledged(Count - 1)
    after ?SILENCE_MS -> exit(nothing_arrives)
    end.

now_ns() ->
    erlang:monotonic_time(nanosecond).
