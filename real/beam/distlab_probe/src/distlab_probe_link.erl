%% The connection to the actor this node belongs to: introduces the node, takes the plan, and ends
%% the node when the actor is gone.
-module(distlab_probe_link).
-behaviour(gen_server).

-export([start_link/0]).
-export([init/1, handle_continue/2, handle_call/3, handle_cast/2, handle_info/2]).

-define(PROTOCOL_VERSION, 1).
-define(CONNECT_TIMEOUT, 10_000).
-define(ALIVE_POLL_MS, 10).

-record(state, {socket :: gen_tcp:socket()}).

-spec start_link() -> gen_server:start_ret().
start_link() ->
    gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

-spec init([]) -> {ok, #state{}, {continue, introduce}} | {stop, term()}.
init([]) ->
    case connect(os:getenv("DISTLAB_PROBE", "")) of
        {ok, Socket} ->
            ok = distlab_probe_events:connect(Socket),
            {ok, #state{socket = Socket}, {continue, introduce}};
        {error, Why} ->
            {stop, Why}
    end.

connect("") ->
    {error, "DISTLAB_PROBE is not set"};
connect(Text) ->
    case string:split(Text, ":", trailing) of
        [Host, Port] -> connect(Text, inet:parse_ipv4strict_address(Host), string:to_integer(Port));
        _ -> {error, "DISTLAB_PROBE is not HOST:PORT: " ++ Text}
    end.

connect(Text, {ok, Host}, {Port, ""}) ->
    Options = [binary, {packet, 4}, {active, false}, {nodelay, true}],
    case gen_tcp:connect(Host, Port, Options, ?CONNECT_TIMEOUT) of
        {ok, Socket} -> {ok, Socket};
        {error, Reason} -> {error, "no actor at " ++ Text ++ ": " ++ inet:format_error(Reason)}
    end;
connect(Text, _, _) ->
    {error, "DISTLAB_PROBE is not HOST:PORT: " ++ Text}.

-spec handle_continue(introduce, #state{}) -> {noreply, #state{}}.
handle_continue(introduce, #state{socket = Socket} = State) ->
    await_distribution(),
    distlab_probe_events:send(
        {hello, #{
            version => ?PROTOCOL_VERSION,
            node => atom_to_binary(node()),
            otp => list_to_binary(erlang:system_info(otp_release)),
            pid => list_to_binary(os:getpid())
        }}
    ),
    listen(Socket),
    {noreply, State}.

await_distribution() ->
    case is_alive() of
        true ->
            ok;
        false ->
            timer:sleep(?ALIVE_POLL_MS),
            await_distribution()
    end.

-spec handle_call(term(), gen_server:from(), #state{}) -> {noreply, #state{}}.
handle_call(_Request, _From, State) ->
    {noreply, State}.

-spec handle_cast(term(), #state{}) -> {noreply, #state{}}.
handle_cast(_Request, State) ->
    {noreply, State}.

-spec handle_info(term(), #state{}) -> {noreply, #state{}}.
handle_info({tcp, Socket, Data}, #state{socket = Socket} = State) ->
    told(binary_to_term(Data)),
    listen(Socket),
    {noreply, State};
handle_info({tcp_closed, Socket}, #state{socket = Socket}) ->
    end_node();
handle_info({tcp_error, Socket, _Reason}, #state{socket = Socket}) ->
    end_node();
handle_info(_Other, State) ->
    {noreply, State}.

listen(Socket) ->
    case inet:setopts(Socket, [{active, once}]) of
        ok -> ok;
        {error, _} -> end_node()
    end.

told({plan, Plan}) ->
    distlab_probe_workload:run(Plan);
told(finish) ->
    Observers = [
        distlab_probe_nodes,
        distlab_probe_groups,
        distlab_probe_names,
        distlab_probe_system
    ],
    [ok = gen_server:call(Observer, sync, infinity) || Observer <- Observers],
    ok = distlab_probe_events:flush(),
    distlab_probe_events:send(finished).

%% Like a process that is killed: no goodbye to peers, and nothing waits for output.
-spec end_node() -> no_return().
end_node() ->
    erlang:halt(0, [{flush, false}]).
