%% Actions that have an outcome: pings, calls, transfers, spawns, evaluations. Each is a process
%% that records its outcome, once; of one that was killed the result is "killed".
-module(distlab_probe_calls).

-export([new/1, start/2, ended/3]).
-export_type([shared/0, call/0]).

-type shared() :: #{counters := atomics:atomics_ref(), max_outstanding := pos_integer()}.
-type call() :: #{action := map(), id := pos_integer(), started := integer()}.

%% Of the counters.
-define(OUTSTANDING, 1).
-define(LAST_ID, 2).

%% What all actions of a node share: how many may be under way, and the numbers of calls.
-spec new(pos_integer()) -> shared().
new(MaxOutstanding) ->
    #{counters => atomics:new(2, [{signed, true}]), max_outstanding => MaxOutstanding}.

-spec start(map(), shared()) -> {ok, reference(), call()} | overload.
start(Action, #{counters := Counters, max_outstanding := Most}) ->
    Call = #{action => Action, id => id(Action, Counters), started => distlab_probe_clock:now()},
    case atomics:add_get(Counters, ?OUTSTANDING, 1) of
        Outstanding when Outstanding > Most ->
            atomics:sub(Counters, ?OUTSTANDING, 1),
            record(Call, <<"overload">>, 0),
            overload;
        _ ->
            {_, Monitor} = spawn_monitor(fun() -> make(Call) end),
            {ok, Monitor, Call}
    end.

%% Evaluations are known by their action, calls are counted.
id(#{kind := eval, index := Index}, _Counters) -> Index;
id(#{kind := Kind}, _Counters) when Kind =:= connect; Kind =:= bulk -> 0;
id(_Call, Counters) -> atomics:add_get(Counters, ?LAST_ID, 1).

-spec ended(call(), Reason :: term(), shared()) -> ok.
ended(Call, Reason, #{counters := Counters}) ->
    atomics:sub(Counters, ?OUTSTANDING, 1),
    case Reason of
        normal -> ok;
        _ -> record(Call, <<"killed">>, elapsed(Call))
    end.

elapsed(#{started := Started}) ->
    distlab_probe_clock:now() - Started.

make(#{action := #{kind := eval} = Action} = Call) ->
    {Result, Value} = distlab_probe_eval:run(maps:get(code, Action), timeout_of(Action)),
    record_eval(Call, Result, Value, elapsed(Call));
make(#{action := #{kind := Kind, to := Peer} = Action} = Call) ->
    Payload = distlab_probe_payload:of_size(maps:get(payload, Action, 0)),
    Result = make(Kind, binary_to_atom(Peer), Payload, timeout_of(Action)),
    record(Call, Result, elapsed(Call)).

timeout_of(Action) ->
    case maps:get(timeout, Action, infinity) of
        Nanoseconds when is_integer(Nanoseconds) -> (Nanoseconds + 999_999) div 1_000_000;
        _ -> infinity
    end.

make(connect, Peer, _Payload, _Timeout) ->
    atom_to_binary(net_adm:ping(Peer));
make(call, Peer, Payload, Timeout) ->
    gen_call({echo, Peer}, Payload, Timeout, fun(_Answer) -> <<"ok">> end);
make(bulk, Peer, Payload, Timeout) ->
    Size = byte_size(Payload),
    Complete = fun
        ({ok, Received}) when Received =:= Size -> <<"ok">>;
        (_) -> <<"corrupted">>
    end,
    gen_call({sink, Peer}, {bulk, Payload}, Timeout, Complete);
make(rpc, Peer, Payload, Timeout) ->
    rpc_result(rpc:call(Peer, distlab, echo, [Payload], Timeout));
make(erpc, Peer, Payload, Timeout) ->
    try erpc:call(Peer, distlab, echo, [Payload], Timeout) of
        _ -> <<"ok">>
    catch
        Class:Reason -> erpc_result(Class, Reason)
    end;
make(spawn, Peer, _Payload, Timeout) ->
    spawned(erlang:spawn_request(Peer, erlang, node, [], [monitor]), Timeout).

%% Results are those of models/process/call.h.
gen_call(Server, Request, Timeout, Judge) ->
    try gen_server:call(Server, Request, Timeout) of
        Answer -> Judge(Answer)
    catch
        exit:{timeout, _} -> <<"timeout">>;
        exit:{{nodedown, _}, _} -> <<"nodedown">>;
        exit:{noproc, _} -> <<"noproc">>;
        exit:_ -> <<"exit">>
    end.

%% Of models/process/rpc.h. What the function raised comes with its stack.
rpc_result({badrpc, nodedown}) -> <<"nodedown">>;
rpc_result({badrpc, timeout}) -> <<"timeout">>;
rpc_result({badrpc, notsup}) -> <<"notsup">>;
rpc_result({badrpc, {'EXIT', {_, [_ | _]}}}) -> <<"exception">>;
rpc_result({badrpc, _}) -> <<"error">>;
rpc_result(_Payload) -> <<"ok">>.

erpc_result(error, {erpc, noconnection}) -> <<"nodedown">>;
erpc_result(error, {erpc, timeout}) -> <<"timeout">>;
erpc_result(error, {erpc, notsup}) -> <<"notsup">>;
erpc_result(error, {erpc, _}) -> <<"error">>;
erpc_result(exit, {signal, _}) -> <<"error">>;
erpc_result(_Class, _Reason) -> <<"exception">>.

%% Of models/workload/watchers.h, SpawnClient: until the child has ended.
spawned(Request, Timeout) ->
    Timer = erlang:start_timer(finite(Timeout), self(), spawn),
    receive
        {spawn_reply, Request, error, Reason} -> broken(Reason);
        {'DOWN', Request, process, _, normal} -> <<"ok">>;
        {'DOWN', Request, process, _, Reason} -> broken(Reason);
        {timeout, Timer, spawn} -> abandon(Request)
    end.

%% 49 days; this process does not live that long.
finite(infinity) -> 16#ffffffff;
finite(Milliseconds) -> Milliseconds.

abandon(Request) ->
    _ = erlang:spawn_request_abandon(Request),
    _ = erlang:demonitor(Request, [flush]),
    <<"timeout">>.

broken(noconnection) -> <<"nodedown">>;
broken(_) -> <<"error">>.

record(#{action := #{kind := connect} = Action}, Result, Elapsed) ->
    % Overload and a killed ping are pangs too.
    Answer =
        case Result of
            <<"pong">> -> Result;
            _ -> <<"pang">>
        end,
    Fields = [{<<"result">>, Answer}, {<<"elapsed_ns">>, Elapsed}],
    distlab_probe_events:record(<<"ping_done">>, towards(Action), Fields);
record(#{action := #{kind := bulk} = Action}, Result, Elapsed) ->
    Bytes = maps:get(payload, Action, 0),
    Fields = [{<<"bytes">>, Bytes}, {<<"elapsed_ns">>, Elapsed}, {<<"result">>, Result}],
    distlab_probe_events:record(<<"bulk_done">>, towards(Action), Fields);
record(#{action := #{kind := eval}} = Call, Result, Elapsed) ->
    record_eval(Call, <<"error">>, Result, Elapsed);
record(#{action := Action, id := Id, started := Started}, Result, Elapsed) ->
    Fields = [
        {<<"id">>, Id},
        {<<"result">>, Result},
        {<<"elapsed_ns">>, Elapsed},
        {<<"started_ns">>, Started - distlab_probe_clock:origin()}
    ],
    distlab_probe_events:record(<<"call_done">>, towards(Action), Fields).

record_eval(#{id := Id, started := Started}, Result, Value, Elapsed) ->
    Fields = [
        {<<"id">>, Id},
        {<<"result">>, Result},
        {<<"value">>, Value},
        {<<"elapsed_ns">>, Elapsed},
        {<<"started_ns">>, Started - distlab_probe_clock:origin()}
    ],
    distlab_probe_events:record(<<"eval_done">>, atom_to_binary(node()), Fields).

towards(#{to := Peer}) ->
    <<(atom_to_binary(node()))/binary, "->", Peer/binary>>.
