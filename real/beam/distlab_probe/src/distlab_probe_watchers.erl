%% Processes that wait for something at a peer to end (models/workload/watchers.h).
-module(distlab_probe_watchers).

-export([monitor/1, link/1]).

%% 49 days, the longest that `after` takes.
-define(LONGEST_SLEEP_MS, 16#ffffffff).

%% Monitors {echo, Peer} until its 'DOWN'.
-spec monitor(binary()) -> ok.
monitor(Peer) ->
    Monitor = erlang:monitor(process, {echo, binary_to_atom(Peer)}),
    receive
        {'DOWN', Monitor, process, _, Reason} ->
            record(<<"monitor_down">>, Peer, <<"echo at ", Peer/binary>>, Reason)
    end.

%% Spawns a process at the peer that only sleeps and links to it. Says so when the link breaks, and
%% also when it could not be made.
-spec link(binary()) -> ok.
link(Peer) ->
    process_flag(trap_exit, true),
    Request = erlang:spawn_request(binary_to_atom(Peer), timer, sleep, [?LONGEST_SLEEP_MS], []),
    receive
        {spawn_reply, Request, ok, Sleeper} ->
            true = erlang:link(Sleeper),
            await_exit(Peer, Sleeper);
        {spawn_reply, Request, error, Reason} ->
            record(<<"link_exit">>, Peer, <<"timer:sleep at ", Peer/binary>>, Reason)
    end.

await_exit(Peer, Sleeper) ->
    receive
        {'EXIT', Sleeper, Reason} ->
            record(<<"link_exit">>, Peer, distlab_probe_print:term(Sleeper), Reason)
    end.

record(Kind, Peer, Target, Reason) ->
    Fields = [{<<"target">>, Target}, {<<"reason">>, distlab_probe_print:term(Reason)}],
    distlab_probe_events:record(Kind, Peer, Fields).
