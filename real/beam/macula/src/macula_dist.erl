%% The distribution carrier of `-proto_dist macula`.
%%
%% Every distribution channel is one TCP connection this node makes to its agent on loopback; the
%% agent carries its bytes through the mesh. Nothing listens here: a channel a peer has opened is
%% announced on the control connection (macula_client) and attached (macula_incoming). After the
%% one frame each way that says what a connection is, its bytes are those of the distribution
%% protocol, and the rest is as in inet_tcp_dist (kernel, OTP 25): an inet port is the handle of the
%% connection, so the emulator reads and writes it itself, and its counters count from the start,
%% without which a peer that is silent since the handshake is never given up.
%%
%% Callbacks run in net_kernel, and whatever could wait is done in processes of its own.
-module(macula_dist).

%% The carrier interface.
-export([
    listen/1,
    listen/2,
    accept/1,
    accept_connection/5,
    setup/5,
    close/1,
    select/1,
    address/0,
    childspecs/0,
    is_node_name/1,
    setopts/2,
    getopts/2
]).
%% Names.
-export([splitname/1, names/1]).
%% For macula_incoming and macula_dist_relay.
-export([acceptor/0, dial/1]).
%% Entry points of processes.
-export([accept_loop/1, do_accept/6, do_setup/5]).

-include_lib("kernel/include/net_address.hrl").
-include_lib("kernel/include/dist_util.hrl").

-define(LISTENER, macula).
-define(ACCEPTOR, {?MODULE, acceptor}).
-define(DEFAULT_PORT, 4433).
%% 6 is what every node since OTP 23 speaks (erl_epmd.hrl, ?EPMD_DIST_HIGH).
-define(DISTRIBUTION_VERSION, 6).

-spec listen(atom()) -> {ok, {term(), #net_address{}, pos_integer()}}.
listen(Name) ->
    {ok, Host} = inet:gethostname(),
    listen(Name, Host).

-spec listen(atom(), string()) -> {ok, {term(), #net_address{}, pos_integer()}}.
listen(_Name, Host) ->
    {ok, {?LISTENER, net_address(undefined, Host), creation()}}.

%% As wrap_creation/1 of net_kernel: 0 to 3 are what old nodes had, and say nothing.
creation() ->
    rand:uniform((1 bsl 32) - 4) + 3.

-spec address() -> #net_address{}.
address() ->
    {ok, Host} = inet:gethostname(),
    net_address(undefined, Host).

%% net_kernel finds this module for {accept, _, _, Family, Protocol} by these two fields.
net_address(Address, Host) ->
    #net_address{address = Address, host = Host, protocol = macula, family = inet}.

%% The client runs under the application, which need not be started before the distribution.
-spec childspecs() -> [supervisor:child_spec()].
childspecs() ->
    [].

-spec close(term()) -> ok.
close(?LISTENER) -> ok;
close(Socket) -> inet_tcp:close(Socket).

%% In net_kernel: looks at the name only. Whether such a node exists, the dial will tell.
-spec select(node()) -> boolean().
select(Node) ->
    is_node_name(Node).

-spec is_node_name(atom() | string()) -> boolean().
is_node_name(Name) ->
    splitname(Name) =/= false.

%% "port@host" gives that port, "name@host" the port of `-macula_dist_port` or the default. Hosts
%% need no dots, in spite of long names.
-spec splitname(atom() | string()) -> {inet:port_number(), string()} | false.
splitname(Name) when is_atom(Name) ->
    splitname(atom_to_list(Name));
splitname(Name) when is_list(Name) ->
    case string:split(Name, "@", all) of
        [[_ | _] = Head, [_ | _] = Host] -> {port_of(string:to_integer(Head)), Host};
        _ -> false
    end.

-spec names(atom() | string()) -> {inet:port_number(), string()} | false.
names(Name) ->
    splitname(Name).

port_of({Port, ""}) when Port > 0, Port < 65536 -> Port;
port_of(_) -> default_port().

default_port() ->
    case init:get_argument(macula_dist_port) of
        {ok, [[Text | _] | _]} -> checked_port(string:to_integer(Text));
        _ -> ?DEFAULT_PORT
    end.

checked_port({Port, ""}) when Port > 0, Port < 65536 -> Port;
checked_port(_) -> ?DEFAULT_PORT.

%% The acceptor, once the node is up and if it listens.
-spec acceptor() -> pid() | undefined.
acceptor() ->
    persistent_term:get(?ACCEPTOR, undefined).

-spec accept(term()) -> pid().
accept(?LISTENER) ->
    spawn_opt(?MODULE, accept_loop, [self()], [link, {priority, max}]).

-spec accept_loop(pid()) -> no_return().
accept_loop(Kernel) ->
    persistent_term:put(?ACCEPTOR, self()),
    accept_next(Kernel).

accept_next(Kernel) ->
    receive
        {attached, Socket} ->
            Kernel ! {accept, self(), Socket, inet, macula},
            controller(Kernel, Socket),
            accept_next(Kernel)
    end.

%% A socket that is closed meanwhile ends in the handshake.
controller(Kernel, Socket) ->
    receive
        {Kernel, controller, Pid} ->
            _ = inet_tcp:controlling_process(Socket, Pid),
            Pid ! {self(), controller},
            ok;
        {Kernel, unsupported_protocol} ->
            exit(unsupported_protocol)
    end.

-spec accept_connection(pid(), inet:socket(), node(), [node()], non_neg_integer()) -> pid().
accept_connection(Acceptor, Socket, MyNode, Allowed, SetupTime) ->
    Arguments = [self(), Acceptor, Socket, MyNode, Allowed, SetupTime],
    spawn_opt(?MODULE, do_accept, Arguments, dist_util:net_ticker_spawn_options()).

-spec do_accept(pid(), pid(), inet:socket(), node(), [node()], non_neg_integer()) -> no_return().
do_accept(Kernel, Acceptor, Socket, MyNode, Allowed, SetupTime) ->
    receive
        {Acceptor, controller} ->
            Timer = dist_util:start_timer(SetupTime),
            Data = handshake_data(Kernel, MyNode, Socket, Timer),
            dist_util:handshake_other_started(Data#hs_data{allowed = Allowed})
    end.

-spec setup(node(), term(), node(), longnames | shortnames, non_neg_integer()) -> pid().
setup(Node, Type, MyNode, _LongOrShortNames, SetupTime) ->
    Arguments = [self(), Node, Type, MyNode, SetupTime],
    spawn_opt(?MODULE, do_setup, Arguments, dist_util:net_ticker_spawn_options()).

%% The timer (net_setuptime) covers the dial, and begins anew with the handshake. It ends this
%% process, and so the connection to the agent.
-spec do_setup(pid(), node(), term(), node(), non_neg_integer()) -> no_return().
do_setup(Kernel, Node, Type, MyNode, SetupTime) ->
    Timer = dist_util:start_timer(SetupTime),
    case dial(Node) of
        {ok, Socket} ->
            dist_util:reset_timer(Timer),
            Data = handshake_data(Kernel, MyNode, Socket, Timer),
            dist_util:handshake_we_started(Data#hs_data{
                other_node = Node,
                other_version = ?DISTRIBUTION_VERSION,
                request_type = Type
            });
        {error, Reason} ->
            ?shutdown2(Node, Reason)
    end.

%% A channel to a node, whose next bytes are those of the handshake. The caller waits as long as the
%% agent needs to negotiate a tunnel.
-spec dial(node()) ->
    {ok, inet:socket()}
    | {error, not_joined | {agent_unreachable, string(), atom()} | macula_wire:failure()}.
dial(Node) ->
    case macula_client:agent_address() of
        {ok, Address} -> dial(macula_wire:connect(Address, [list]), Node);
        {error, _} = Error -> Error
    end.

dial({ok, Socket}, Node) ->
    Cookie = atom_to_binary(erlang:get_cookie(Node)),
    case macula_wire:request(Socket, {dial, atom_to_binary(Node), Cookie}, infinity) of
        ok ->
            {ok, Socket};
        {error, _} = Error ->
            inet_tcp:close(Socket),
            Error
    end;
dial({error, _} = Error, _Node) ->
    Error.

handshake_data(Kernel, MyNode, Socket, Timer) ->
    #hs_data{
        kernel_pid = Kernel,
        this_node = MyNode,
        socket = Socket,
        timer = Timer,
        this_flags = 0,
        f_send = fun inet_tcp:send/2,
        f_recv = fun inet_tcp:recv/3,
        f_setopts_pre_nodeup = fun(S) -> inet:setopts(S, [{active, false}, {packet, 4}, nodelay()]) end,
        f_setopts_post_nodeup = fun post_nodeup/1,
        f_getll = fun inet:getll/1,
        f_address = fun remote_address/2,
        mf_tick = fun tick/1,
        mf_getstat = fun getstat/1,
        mf_setopts = fun ?MODULE:setopts/2,
        mf_getopts = fun ?MODULE:getopts/2
    }.

post_nodeup(Socket) ->
    inet:setopts(Socket, [{active, true}, {deliver, port}, {packet, 4}, binary, nodelay()]).

nodelay() ->
    {nodelay, application:get_env(kernel, dist_nodelay, true) =/= false}.

remote_address(Socket, Node) ->
    case {inet:peername(Socket), splitname(Node)} of
        {{ok, Address}, {_, Host}} -> net_address(Address, Host);
        _ -> ?shutdown(Node)
    end.

tick(Socket) ->
    case inet_tcp:send(Socket, [], [force]) of
        {error, closed} = Closed ->
            self() ! {tcp_closed, Socket},
            Closed;
        Result ->
            Result
    end.

getstat(Socket) ->
    case inet:getstat(Socket, [recv_cnt, send_cnt, send_pend]) of
        {ok, Counts} ->
            [Received, Sent, Pending] =
                [proplists:get_value(Key, Counts, 0) || Key <- [recv_cnt, send_cnt, send_pend]],
            {ok, Received, Sent, Pending};
        {error, _} = Error ->
            Error
    end.

%% net_kernel:setopts/2; the options that make it a distribution channel are not to be changed.
-spec setopts(inet:socket(), [inet:socket_setopt()]) -> ok | {error, term()}.
setopts(Socket, Options) ->
    case [Option || {Key, _} = Option <- Options, lists:member(Key, [active, deliver, packet])] of
        [] -> inet:setopts(Socket, Options);
        Forbidden -> {error, {badopts, Forbidden}}
    end.

-spec getopts(inet:socket(), [inet:socket_getopt()]) -> {ok, list()} | {error, inet:posix()}.
getopts(Socket, Names) ->
    inet:getopts(Socket, Names).
