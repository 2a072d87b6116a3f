%% Membership of process groups: a `group_changed` for every change, with the number of members.
-module(distlab_probe_groups).
-behaviour(gen_server).

-export([start_link/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

-record(state, {
    scope :: reference(),
    members :: #{term() => [pid()]}
}).

-spec start_link() -> gen_server:start_ret().
start_link() ->
    gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

-spec init([]) -> {ok, #state{}}.
init([]) ->
    process_flag(priority, high),
    {Scope, Members} = pg:monitor_scope(),
    {ok, #state{scope = Scope, members = Members}}.

%% Once this is answered, what had come before it is recorded.
-spec handle_call(sync, gen_server:from(), #state{}) -> {reply, ok, #state{}}.
handle_call(sync, _From, State) ->
    {reply, ok, State}.

-spec handle_cast(term(), #state{}) -> {noreply, #state{}}.
handle_cast(_Request, State) ->
    {noreply, State}.

-spec handle_info(term(), #state{}) -> {noreply, #state{}}.
handle_info({Scope, join, Group, Pids}, #state{scope = Scope, members = Members} = State) ->
    {noreply, changed(Group, Pids ++ maps:get(Group, Members, []), State)};
handle_info({Scope, leave, Group, Pids}, #state{scope = Scope, members = Members} = State) ->
    {noreply, changed(Group, maps:get(Group, Members, []) -- Pids, State)};
handle_info(_Other, State) ->
    {noreply, State}.

changed(Group, Pids, #state{members = Members} = State) ->
    Name = distlab_probe_print:term(Group),
    Fields = [{<<"group">>, Name}, {<<"members">>, length(Pids)}],
    distlab_probe_events:record(<<"group_changed">>, Name, Fields),
    case Pids of
        [] -> State#state{members = maps:remove(Group, Members)};
        _ -> State#state{members = Members#{Group => Pids}}
    end.
