%% What the emulator itself complains of: senders suspended by a full connection, and schedulers
%% that were held up. Only one process of a node may be its system monitor.
-module(distlab_probe_system).
-behaviour(gen_server).

-export([start_link/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

%% What is shorter is no stall.
-define(STALL_MS, 20).

-spec start_link() -> gen_server:start_ret().
start_link() ->
    gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

-spec init([]) -> {ok, []}.
init([]) ->
    process_flag(priority, high),
    _ = erlang:system_monitor(self(), [
        busy_dist_port,
        {long_schedule, ?STALL_MS},
        {long_gc, ?STALL_MS}
    ]),
    {ok, []}.

%% Once this is answered, what had come before it is recorded.
-spec handle_call(sync, gen_server:from(), []) -> {reply, ok, []}.
handle_call(sync, _From, State) ->
    {reply, ok, State}.

-spec handle_cast(term(), []) -> {noreply, []}.
handle_cast(_Request, State) ->
    {noreply, State}.

-spec handle_info(term(), []) -> {noreply, []}.
handle_info({monitor, _Sender, busy_dist_port, Port}, State) ->
    busy(lists:keyfind(Port, 2, erlang:system_info(dist_ctrl)), Port),
    {noreply, State};
handle_info({monitor, _, What, Info}, State) when What =:= long_schedule; What =:= long_gc ->
    Elapsed = proplists:get_value(timeout, Info) * 1_000_000,
    Fields = [{<<"elapsed_ns">>, Elapsed}],
    distlab_probe_events:record(<<"scheduler_stall">>, atom_to_binary(node()), Fields),
    {noreply, State};
handle_info(_Other, State) ->
    {noreply, State}.

%% What waits in the driver; the emulator does not tell what waits before it. A connection that has
%% ended meanwhile has no name any more.
busy({Node, Port}, Port) ->
    Queued =
        case erlang:port_info(Port, queue_size) of
            {queue_size, Bytes} -> Bytes;
            undefined -> 0
        end,
    distlab_probe_events:record(<<"busy_dist_port">>, atom_to_binary(Node), [{<<"queued">>, Queued}]);
busy(false, _Port) ->
    ok.
