%% Supervises the probe. Nothing is restarted: a probe that has lost a part would report half the
%% truth, so the application ends, and with it (it is permanent) the node. The servers peers talk to
%% are another matter: they may be killed like any process, and are gone then.
-module(distlab_probe_sup).
-behaviour(supervisor).

-export([start_link/0, start_server/1]).
-export([init/1]).

-spec start_link() -> supervisor:startlink_ret().
start_link() ->
    supervisor:start_link({local, ?MODULE}, ?MODULE, []).

%% Observers before the link to the actor, so that they miss nothing of what the run is told of.
-spec init([]) -> {ok, {supervisor:sup_flags(), [supervisor:child_spec()]}}.
init([]) ->
    Children =
        [distlab_probe_events] ++ process_groups() ++
            [
                distlab_probe_nodes,
                distlab_probe_groups,
                distlab_probe_names,
                distlab_probe_system,
                distlab_probe_members,
                distlab_probe_workload,
                distlab_probe_link
            ],
    Servers = [server(Module) || Module <- [distlab_probe_echo, distlab_probe_sink]],
    Flags = #{strategy => one_for_all, intensity => 0, period => 1},
    {ok, {Flags, Servers ++ [child(Module) || Module <- Children]}}.

%% A server that can only begin with the workload.
-spec start_server(module()) -> ok.
start_server(Module) ->
    {ok, _} = supervisor:start_child(?MODULE, server(Module)),
    ok.

%% The kernel application starts the default scope of pg only with `-kernel start_pg true`.
process_groups() ->
    case whereis(pg) of
        undefined -> [pg];
        _ -> []
    end.

child(Module) ->
    #{id => Module, start => {Module, start_link, []}}.

server(Module) ->
    (child(Module))#{restart => temporary}.
