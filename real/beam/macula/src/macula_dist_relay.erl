%% What programs may ask about distribution through relays, as the mesh's guide has it.
-module(macula_dist_relay).

-export([
    connect/3,
    get_tunnel_metrics/0,
    get_tunnel_metrics/1,
    is_relay_mode/0,
    register_mesh_client/1,
    get_mesh_client/0
]).

-define(CLIENT, {?MODULE, mesh_client}).

%% A channel to a node as dist_util would get it; the caller owns it, and must send the first byte.
%% The bridge of the tunnel lives in the agent, so both ports are the one this node has. `Node` is
%% "name@host", or "name" with the host apart; the port means nothing to a relay.
-spec connect(string(), string(), integer()) -> {ok, port(), port()} | {error, term()}.
connect(Node, Host, _Port) ->
    Name =
        case lists:member($@, Node) of
            true -> Node;
            false -> Node ++ "@" ++ Host
        end,
    case macula_dist:is_node_name(Name) andalso macula_dist:dial(list_to_atom(Name)) of
        {ok, Socket} -> {ok, Socket, Socket};
        {error, _} = Error -> Error;
        false -> {error, {bad_node_name, Name}}
    end.

%% [{TunnelId, #{bytes_in, bytes_out, msgs_in, msgs_out, peer, state, direction}}]. Empty too when
%% this node is in no mesh or the agent does not answer; macula:status/0 tells these apart.
-spec get_tunnel_metrics() -> [{binary(), map()}].
get_tunnel_metrics() ->
    case macula_client:ask(metrics) of
        {ok, Tunnels} -> [{Id, maps:remove(id, Tunnel)} || #{id := Id} = Tunnel <- Tunnels];
        {error, _} -> []
    end.

-spec get_tunnel_metrics(binary()) -> map() | undefined.
get_tunnel_metrics(TunnelId) ->
    proplists:get_value(TunnelId, get_tunnel_metrics()).

%% join_mesh/1 sets the variable, and leaving clears it.
-spec is_relay_mode() -> boolean().
is_relay_mode() ->
    os:getenv("MACULA_DIST_MODE") =:= "relay".

%% join_mesh/1 registers its own. Another process may be registered for programs that look for it;
%% channels do not go through it.
-spec register_mesh_client(pid()) -> ok.
register_mesh_client(Pid) when is_pid(Pid) ->
    persistent_term:put(?CLIENT, Pid).

-spec get_mesh_client() -> pid() | undefined.
get_mesh_client() ->
    case persistent_term:get(?CLIENT, undefined) of
        undefined -> undefined;
        Pid -> alive(Pid, node(Pid) =:= node() andalso is_process_alive(Pid))
    end.

alive(Pid, true) -> Pid;
alive(_Pid, false) -> undefined.
