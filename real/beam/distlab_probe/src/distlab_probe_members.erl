%% The processes of this node that are in groups and have global names: one per group or name, as in
%% models/workload/driver.cc. Joining twice is joining once.
-module(distlab_probe_members).
-behaviour(gen_server).

-export([start_link/0, join/1, leave/1, register_name/1]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

-record(state, {
    members = #{} :: #{binary() => pid()},
    joined = #{} :: #{binary() => true}
}).

-spec start_link() -> gen_server:start_ret().
start_link() ->
    gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

-spec join(binary()) -> ok.
join(Group) ->
    gen_server:cast(?MODULE, {join, Group}).

-spec leave(binary()) -> ok.
leave(Group) ->
    gen_server:cast(?MODULE, {leave, Group}).

%% Records what came of it.
-spec register_name(binary()) -> ok.
register_name(Name) ->
    gen_server:cast(?MODULE, {register_name, Name}).

-spec init([]) -> {ok, #state{}}.
init([]) ->
    {ok, #state{}}.

-spec handle_call(term(), gen_server:from(), #state{}) -> {noreply, #state{}}.
handle_call(_Request, _From, State) ->
    {noreply, State}.

-spec handle_cast(tuple(), #state{}) -> {noreply, #state{}}.
handle_cast({What, Name}, State) ->
    {Pid, Next} = member(Name, State),
    {noreply, act(What, Name, Pid, Next)}.

-spec handle_info(term(), #state{}) -> {noreply, #state{}}.
handle_info(_Other, State) ->
    {noreply, State}.

member(Name, #state{members = Members, joined = Joined} = State) ->
    case Members of
        #{Name := Pid} when is_pid(Pid) ->
            case is_process_alive(Pid) of
                true -> {Pid, State};
                false -> member(Name, State#state{members = maps:remove(Name, Members)})
            end;
        #{} ->
            Pid = spawn(fun idle/0),
            {Pid, State#state{members = Members#{Name => Pid}, joined = maps:remove(Name, Joined)}}
    end.

idle() ->
    receive
        _ -> idle()
    end.

act(join, Group, Pid, #state{joined = Joined} = State) when not is_map_key(Group, Joined) ->
    ok = pg:join(binary_to_atom(Group), Pid),
    State#state{joined = Joined#{Group => true}};
act(leave, Group, Pid, #state{joined = Joined} = State) when is_map_key(Group, Joined) ->
    _ = pg:leave(binary_to_atom(Group), Pid),
    State#state{joined = maps:remove(Group, Joined)};
act(register_name, Name, Pid, State) ->
    _ = spawn(fun() -> distlab_probe_names:register_name(Name, Pid) end),
    State;
act(_Done, _Group, _Pid, State) ->
    State.
