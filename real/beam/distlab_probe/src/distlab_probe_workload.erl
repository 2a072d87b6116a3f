%% The plan carried out: cookies, joining the mesh, then a process for each action.
%%
%% Says `ready` when the workload has begun. What was due before that is left out, and what repeats
%% keeps its rhythm (scenarios/cast/node_settings.cc, driver_action).
-module(distlab_probe_workload).
-behaviour(gen_server).

-export([start_link/0, run/1]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

%% As Driver::Options of models/workload/workload.h.
-define(MAX_OUTSTANDING, 10_000).

-record(state, {actions = none :: none | [pid()]}).

-spec start_link() -> gen_server:start_ret().
start_link() ->
    gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

-spec run(map()) -> ok.
run(Plan) ->
    gen_server:cast(?MODULE, {run, Plan}).

-spec init([]) -> {ok, #state{}}.
init([]) ->
    {ok, #state{}}.

-spec handle_call(term(), gen_server:from(), #state{}) -> {noreply, #state{}}.
handle_call(_Request, _From, State) ->
    {noreply, State}.

-spec handle_cast({run, map()}, #state{}) -> {noreply, #state{}}.
handle_cast({run, Plan}, #state{actions = none}) ->
    #{origin := Origin, quiet := Quiet, peers := Peers, actions := Actions} = Plan,
    distlab_probe_clock:set_origin(Origin),
    distlab_probe_log:install(Peers),
    ok = distlab_probe_events:open(Quiet),
    [set_cookie(Peer, Cookie) || {Peer, Cookie} <- maps:get(cookies, Plan, [])],
    distlab_probe_payload:prepare([Size || #{payload := Size} <- Actions]),
    load(),
    join(maps:get(join, Plan, undefined)),
    ok = distlab_probe_ledger:prepare(),
    ok = distlab_probe_sup:start_server(distlab_probe_ledger),
    Shared = distlab_probe_calls:new(maps:get(max_outstanding, Plan, ?MAX_OUTSTANDING)),
    Now = distlab_probe_clock:since_origin(),
    Started = [start(Action, Shared, Now) || Action <- Actions],
    distlab_probe_events:send(ready),
    {noreply, #state{actions = lists:append(Started)}}.

-spec handle_info(term(), #state{}) -> {noreply, #state{}}.
handle_info(_Other, State) ->
    {noreply, State}.

%% What a first call would load from files is loaded beforehand: that takes milliseconds.
load() ->
    {ok, Ours} = application:get_key(distlab_probe, modules),
    Theirs = [erpc, rpc, net_adm, erl_eval, erl_scan, erl_parse, io_lib_pretty, io_lib_format, string, timer],
    ok = code:ensure_modules_loaded(Ours ++ Theirs).

%% Linked: an action's process that crashes is a fault of the probe.
start(Action, Shared, Now) ->
    case distlab_probe_schedule:first(Action, Now) of
        {ok, Schedule} ->
            {ok, Pid} = distlab_probe_action:start_link(Action, Schedule, Shared),
            [Pid];
        never ->
            []
    end.

set_cookie(Peer, Cookie) ->
    true = erlang:set_cookie(binary_to_atom(Peer), binary_to_atom(Cookie)),
    ok.

%% A node that could not join runs its workload all the same, and finds nobody.
join(undefined) ->
    ok;
join(Options) ->
    case macula:join_mesh(Options) of
        ok ->
            ok;
        {error, Reason} ->
            Text = iolist_to_binary(["macula:join_mesh: ", distlab_probe_print:term(Reason)]),
            Fields = [{<<"level">>, <<"error">>}, {<<"text">>, Text}],
            distlab_probe_events:record(<<"log">>, atom_to_binary(node()), Fields)
    end.
