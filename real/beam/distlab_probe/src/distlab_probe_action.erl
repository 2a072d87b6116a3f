%% One action of the plan: a process that waits until it is due and then does it, again and again.
%%
%% What takes its time is done by a process of its own, so calls overlap and a slow one delays no
%% other. What those processes leave unsaid because they were killed is said here.
-module(distlab_probe_action).
-behaviour(gen_server).

-export([start_link/3]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

-record(state, {
    action :: map(),
    schedule :: distlab_probe_schedule:schedule() | undefined,
    shared :: distlab_probe_calls:shared(),
    % Calls under way, by their monitors.
    calls = #{} :: #{reference() => distlab_probe_calls:call()},
    % The last process that monitors or links.
    watcher :: pid() | undefined
}).

-spec start_link(map(), distlab_probe_schedule:schedule(), distlab_probe_calls:shared()) ->
    gen_server:start_ret().
start_link(Action, Schedule, Shared) ->
    gen_server:start_link(?MODULE, {Action, Schedule, Shared}, []).

-spec init(tuple()) -> {ok, #state{}}.
init({Action, Schedule, Shared}) ->
    process_flag(priority, high),
    {ok, wait(#state{action = Action, schedule = Schedule, shared = Shared})}.

-spec handle_call(term(), gen_server:from(), #state{}) -> {noreply, #state{}}.
handle_call(_Request, _From, State) ->
    {noreply, State}.

-spec handle_cast(term(), #state{}) -> {noreply, #state{}}.
handle_cast(_Request, State) ->
    {noreply, State}.

-spec handle_info(term(), #state{}) -> {noreply, #state{}}.
handle_info(due, State) ->
    {noreply, catch_up(State)};
handle_info({'DOWN', Monitor, process, _Pid, Reason}, #state{calls = Calls} = State) ->
    case maps:take(Monitor, Calls) of
        {Call, Left} ->
            distlab_probe_calls:ended(Call, Reason, State#state.shared),
            {noreply, State#state{calls = Left}};
        error ->
            {noreply, State}
    end;
handle_info(_Other, State) ->
    {noreply, State}.

catch_up(#state{schedule = Schedule} = State) ->
    case distlab_probe_schedule:due(Schedule, distlab_probe_clock:since_origin()) of
        {true, {ok, Next}} -> catch_up(perform(State#state{schedule = Next}));
        {true, never} -> perform(State#state{schedule = undefined});
        {false, never} -> State#state{schedule = undefined};
        {false, {ok, _}} -> wait(State)
    end.

%% Timers are never early, and up to a millisecond late.
wait(#state{schedule = Schedule} = State) ->
    Left = distlab_probe_schedule:next_at(Schedule) - distlab_probe_clock:since_origin(),
    _ = erlang:send_after(max(0, (Left + 999_999) div 1_000_000), self(), due),
    State.

perform(#state{action = #{kind := Kind} = Action} = State) ->
    perform(Kind, Action, State).

perform(disconnect, #{to := Peer}, State) ->
    _ = spawn(fun() -> erlang:disconnect_node(binary_to_atom(Peer)) end),
    State;
perform(send, #{to := Peer} = Action, State) ->
    distlab_probe_ledger:send(Peer, maps:get(payload, Action, 0)),
    State;
perform(pg_join, #{group := Group}, State) ->
    distlab_probe_members:join(Group),
    State;
perform(pg_leave, #{group := Group}, State) ->
    distlab_probe_members:leave(Group),
    State;
perform(global_register, #{group := Name}, State) ->
    distlab_probe_members:register_name(Name),
    State;
perform(global_sync, _Action, State) ->
    _ = spawn(fun distlab_probe_names:sync/0),
    State;
perform(set_cookie, #{cookie := Cookie} = Action, State) ->
    set_cookie(maps:get(to, Action, <<>>), Cookie),
    State;
perform(monitor, #{to := Peer}, State) ->
    watch(fun() -> distlab_probe_watchers:monitor(Peer) end, State);
perform(link, #{to := Peer}, State) ->
    watch(fun() -> distlab_probe_watchers:link(Peer) end, State);
perform(_Call, Action, #state{calls = Calls, shared = Shared} = State) ->
    case distlab_probe_calls:start(Action, Shared) of
        {ok, Monitor, Call} -> State#state{calls = Calls#{Monitor => Call}};
        overload -> State
    end.

%% One at a time: while the last still watches there is nothing to do.
watch(Watch, #state{watcher = Watcher} = State) ->
    case is_pid(Watcher) andalso is_process_alive(Watcher) of
        true -> State;
        false -> State#state{watcher = spawn(Watch)}
    end.

set_cookie(<<>>, Cookie) -> set_cookie(node(), <<>>, Cookie);
set_cookie(Peer, Cookie) -> set_cookie(binary_to_atom(Peer), Peer, Cookie).

set_cookie(Node, Named, Cookie) ->
    true = erlang:set_cookie(Node, binary_to_atom(Cookie)),
    distlab_probe_events:send({cookie, Named, Cookie}).
