%% Supervises the probe. Nothing is restarted: a probe that has lost a part would report half the
%% truth, so the application ends, and with it (it is permanent) the node.
-module(distlab_probe_sup).
-behaviour(supervisor).

-export([start_link/0]).
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
                distlab_probe_echo,
                distlab_probe_sink,
                distlab_probe_members,
                distlab_probe_workload,
                distlab_probe_link
            ],
    {ok, {#{strategy => one_for_all, intensity => 0, period => 1}, [child(M) || M <- Children]}}.

%% The kernel application starts the default scope of pg only with `-kernel start_pg true`.
process_groups() ->
    case whereis(pg) of
        undefined -> [pg];
        _ -> []
    end.

child(Module) ->
    #{id => Module, start => {Module, start_link, []}}.
