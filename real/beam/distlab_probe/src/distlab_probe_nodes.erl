%% Connections to other nodes: when net_kernel begins one, gets it, fails to, and loses it.
%%
%% net_kernel:monitor_nodes/2 tells of the second and the last. A set-up is a process net_kernel
%% spawns (do_setup or do_accept, in every carrier), so net_kernel is traced for the processes it
%% spawns and they for their ends: this tells when a set-up began, who began it, and why it failed.
-module(distlab_probe_nodes).
-behaviour(gen_server).

-export([start_link/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

%% A set-up under way. The peer of one that the peer began is not known before it is up.
-record(setup, {direction :: out | in, peer :: node() | undefined, began :: integer()}).
-record(state, {setups = #{} :: #{pid() => #setup{}}}).

-spec start_link() -> gen_server:start_ret().
start_link() ->
    gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

-spec init([]) -> {ok, #state{}}.
init([]) ->
    process_flag(priority, high),
    ok = net_kernel:monitor_nodes(true, #{node_type => all, nodedown_reason => true}),
    1 = erlang:trace(whereis(net_kernel), true, [procs, set_on_spawn, {tracer, self()}]),
    {ok, #state{}}.

%% Once this is answered, what had come before it is recorded.
-spec handle_call(sync, gen_server:from(), #state{}) -> {reply, ok, #state{}}.
handle_call(sync, _From, State) ->
    {reply, ok, State}.

-spec handle_cast(term(), #state{}) -> {noreply, #state{}}.
handle_cast(_Request, State) ->
    {noreply, State}.

-spec handle_info(term(), #state{}) -> {noreply, #state{}}.
handle_info({trace, _, spawn, Pid, {_Carrier, do_setup, Arguments}}, #state{setups = Setups} = State) ->
    Peer = peer_in(Arguments),
    distlab_probe_events:record(<<"connect_started">>, atom_to_binary(Peer), []),
    Setup = #setup{direction = out, peer = Peer, began = distlab_probe_clock:now()},
    {noreply, State#state{setups = Setups#{Pid => Setup}}};
handle_info({trace, _, spawn, Pid, {_Carrier, do_accept, _}}, #state{setups = Setups} = State) ->
    Setup = #setup{direction = in, began = distlab_probe_clock:now()},
    {noreply, State#state{setups = Setups#{Pid => Setup}}};
handle_info({trace, Pid, exit, Reason}, #state{setups = Setups} = State) ->
    case maps:take(Pid, Setups) of
        {Setup, Left} ->
            ended(Setup, Reason),
            {noreply, State#state{setups = Left}};
        error ->
            {noreply, State}
    end;
handle_info({nodeup, Node, _Info}, State) ->
    {noreply, up(Node, State)};
handle_info({nodedown, Node, #{nodedown_reason := Reason}}, State) ->
    Fields = [{<<"reason">>, distlab_probe_print:reason(Reason)}],
    distlab_probe_events:record(<<"node_down">>, atom_to_binary(Node), Fields),
    {noreply, State};
handle_info(_Other, State) ->
    % Links, names and timers of the traced processes.
    {noreply, State}.

%% The only node's name among the arguments that is not ours.
peer_in(Arguments) ->
    [Peer | _] = [
        Name
     || Name <- Arguments,
        is_atom(Name),
        Name =/= node(),
        lists:member($@, atom_to_list(Name))
    ],
    Peer.

%% From now on the process is the connection, and its end is a nodedown.
up(Node, #state{setups = Setups} = State) ->
    case [Owner || Owner <- owners(Node), is_map_key(Owner, Setups)] of
        [Owner | _] ->
            {#setup{direction = Direction, began = Began}, Left} = maps:take(Owner, Setups),
            record_up(Node, Direction, [{<<"setup_ns">>, distlab_probe_clock:now() - Began}]),
            State#state{setups = Left};
        [] ->
            record_up(Node, in, []),
            State
    end.

record_up(Node, Direction, Setup) ->
    Fields = [{<<"direction">>, atom_to_binary(Direction)} | Setup],
    distlab_probe_events:record(<<"node_up">>, atom_to_binary(Node), Fields).

%% The row of net_kernel's table names its owner before one that waits to be it.
owners(Node) ->
    case ets:lookup(sys_dist, Node) of
        [Connection] -> [Pid || Pid <- tuple_to_list(Connection), is_pid(Pid)];
        [] -> []
    end.

%% `remarked`: the peer's attempt at the same time has taken the place of ours.
ended(#setup{direction = out, peer = Peer, began = Began}, Reason) when Reason =/= remarked ->
    Fields = [
        {<<"reason">>, distlab_probe_print:reason(Reason)},
        {<<"elapsed_ns">>, distlab_probe_clock:now() - Began}
    ],
    distlab_probe_events:record(<<"connect_failed">>, atom_to_binary(Peer), Fields);
ended(_Setup, _Reason) ->
    ok.
