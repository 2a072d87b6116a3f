%% This node's membership of the mesh: the control connection to the agent, its questions and
%% answers, and the tunnels it announces. The membership lasts as long as that connection.
-module(macula_client).
-behaviour(gen_server).

-export([start_link/0, join/1, leave/0, ask/1, agent_address/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2]).

-include_lib("kernel/include/logger.hrl").

-define(JOIN_TIMEOUT, 30_000).
-define(ANSWER_TIMEOUT, 5_000).
%% Nothing tells of erlang:set_cookie/1, so it is looked for this often.
-define(COOKIE_INTERVAL, 1_000).
%% Tunnels that are being attached at once; the agent drops what is beyond, as nobody attaches it.
-define(MOST_ATTACHING, 1_000).
-define(ADDRESS, {?MODULE, agent_address}).
-define(MODE, "MACULA_DIST_MODE").

%% Both are there while joined, and only then.
-record(member, {
    agent :: macula_agent:agent(),
    control :: inet:socket(),
    %% As the agent knows it.
    cookie :: binary()
}).
-record(state, {
    member :: #member{} | undefined,
    %% Questions by their reference: who asked, and parts of the answer that came.
    asked = #{} :: #{integer() => {gen_server:from(), [term()], reference()}},
    next_ref = 1 :: pos_integer(),
    attaching = #{} :: #{reference() => true}
}).

-spec start_link() -> gen_server:start_ret().
start_link() ->
    gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

-spec join(macula:join_options()) -> ok | {error, macula:join_error()}.
join(Options) ->
    gen_server:call(?MODULE, {join, Options}, infinity).

-spec leave() -> ok | {error, not_joined}.
leave() ->
    call(leave).

%% `metrics` gives a list of maps, `status` a map, as README.md has them.
-spec ask(metrics | status) -> {ok, term()} | {error, not_joined | timeout}.
ask(What) ->
    call({ask, What}).

%% For whoever dials; asks no process, since net_kernel waits for nobody.
-spec agent_address() -> {ok, macula_wire:address()} | {error, not_joined}.
agent_address() ->
    case persistent_term:get(?ADDRESS, undefined) of
        undefined -> {error, not_joined};
        Address -> {ok, Address}
    end.

%% Without the application there is no membership.
call(Request) ->
    case whereis(?MODULE) of
        undefined -> {error, not_joined};
        Client -> gen_server:call(Client, Request, infinity)
    end.

-spec init([]) -> {ok, #state{}}.
init([]) ->
    process_flag(trap_exit, true),
    forget(),
    {ok, #state{}}.

-spec handle_call(term(), gen_server:from(), #state{}) ->
    {reply, term(), #state{}} | {noreply, #state{}}.
handle_call({join, _}, _From, #state{member = #member{}} = State) ->
    {reply, {error, already_joined}, State};
handle_call({join, Options}, _From, State) ->
    case macula_options:request(Options, macula_agent:named()) of
        {ok, Request} -> joined(open(Request), State);
        {error, _} = Error -> {reply, Error, State}
    end;
handle_call(_Request, _From, #state{member = undefined} = State) ->
    {reply, {error, not_joined}, State};
handle_call(leave, _From, State) ->
    {reply, ok, depart(State)};
handle_call({ask, What}, From, State) ->
    question(What, From, State).

-spec handle_cast(term(), #state{}) -> {noreply, #state{}}.
handle_cast(_Request, State) ->
    {noreply, State}.

-spec handle_info(term(), #state{}) -> {noreply, #state{}}.
handle_info({tcp, Control, Data}, #state{member = #member{control = Control}} = State) ->
    Next = told(macula_wire:decode(Data), State),
    ok = inet_setopts(Control),
    {noreply, Next};
handle_info({tcp_closed, Control}, #state{member = #member{control = Control}} = State) ->
    {noreply, lost("it closed the connection", State)};
handle_info({tcp_error, Control, Reason}, #state{member = #member{control = Control}} = State) ->
    {noreply, lost(atom_to_list(Reason), State)};
handle_info({Program, {exit_status, Status}}, #state{member = #member{agent = Agent}} = State) when
    map_get(program, Agent) =:= Program
->
    {noreply, lost("it ended with status " ++ integer_to_list(Status), State)};
handle_info({'DOWN', Monitor, process, _, _}, #state{attaching = Attaching} = State) ->
    {noreply, State#state{attaching = maps:remove(Monitor, Attaching)}};
handle_info({look_at_cookie, Control}, #state{member = #member{control = Control} = Member} = State) ->
    look_again(Control),
    {noreply, State#state{member = tell_cookie(macula_options:cookie(), Member)}};
handle_info({expired, Ref}, State) ->
    {noreply, answer(Ref, {error, timeout}, State)};
handle_info(_Other, State) ->
    % What the agent's program prints, its port's end, and what is left of an earlier membership.
    {noreply, State}.

-spec terminate(term(), #state{}) -> ok.
terminate(_Reason, State) ->
    _ = depart(State),
    ok.

%% {error, einval}: the socket is closed, and its tcp_closed is on the way.
inet_setopts(Control) ->
    case inet:setopts(Control, [{active, once}]) of
        ok -> ok;
        {error, einval} -> ok
    end.

open(Request) ->
    case macula_agent:open() of
        {ok, Agent} -> open(Agent, Request);
        {error, _} = Error -> Error
    end.

open(#{address := Address} = Agent, Request) ->
    case control(Address, Request) of
        {ok, Control} ->
            {ok, #member{agent = Agent, control = Control, cookie = map_get(cookie, Request)}};
        {error, _} = Error ->
            macula_agent:close(Agent),
            Error
    end.

control(Address, Request) ->
    case macula_wire:connect(Address, [binary]) of
        {ok, Control} -> control(macula_wire:request(Control, {join, Request}, ?JOIN_TIMEOUT), Control, ok);
        {error, _} = Error -> Error
    end.

control(ok, Control, ok) ->
    {ok, Control};
control({error, _} = Error, Control, ok) ->
    inet_tcp:close(Control),
    Error.

joined({error, _} = Error, State) ->
    {reply, Error, State};
joined({ok, #member{agent = #{address := Address}, control = Control} = Member}, State) ->
    persistent_term:put(?ADDRESS, Address),
    true = os:putenv(?MODE, "relay"),
    ok = macula_dist_relay:register_mesh_client(self()),
    ok = inet_setopts(Control),
    look_again(Control),
    {reply, ok, State#state{member = Member}}.

%% The tunnels of others are for the cookie of the moment.
look_again(Control) ->
    erlang:send_after(?COOKIE_INTERVAL, self(), {look_at_cookie, Control}).

tell_cookie(Cookie, #member{cookie = Cookie} = Member) ->
    Member;
tell_cookie(Cookie, #member{control = Control} = Member) ->
    %% A send that fails: the connection's end is on the way.
    _ = macula_wire:send(Control, {cookie, Cookie}),
    Member#member{cookie = Cookie}.

lost(Why, State) ->
    ?LOG_ERROR("macula: lost the agent (~ts); this node has left the mesh", [Why]),
    depart(State).

depart(#state{member = undefined} = State) ->
    State;
depart(#state{member = #member{agent = Agent, control = Control}, asked = Asked} = State) ->
    forget(),
    inet_tcp:close(Control),
    macula_agent:close(Agent),
    Left = maps:fold(fun(Ref, _, S) -> answer(Ref, {error, not_joined}, S) end, State, Asked),
    Left#state{member = undefined}.

forget() ->
    _ = persistent_term:erase(?ADDRESS),
    true = os:unsetenv(?MODE),
    ok.

question(What, From, #state{member = #member{control = Control}, next_ref = Ref} = State) ->
    case macula_wire:send(Control, {What, Ref}) of
        ok ->
            Timer = erlang:send_after(?ANSWER_TIMEOUT, self(), {expired, Ref}),
            Asked = (State#state.asked)#{Ref => {From, [], Timer}},
            {noreply, State#state{asked = Asked, next_ref = Ref + 1}};
        {error, _} ->
            {reply, {error, not_joined}, State}
    end.

told({ok, {incoming, Id}}, State) when is_integer(Id) ->
    attach(Id, State);
told({ok, {metrics, Ref, Tunnels, more}}, State) when is_list(Tunnels) ->
    part(Ref, Tunnels, State);
told({ok, {metrics, Ref, Tunnels}}, State) when is_list(Tunnels) ->
    answer_list(Ref, Tunnels, State);
told({ok, {status, Ref, #{relay := _, connected := _} = Status}}, State) ->
    answer(Ref, {ok, Status}, State);
told(_Other, State) ->
    ?LOG_WARNING("macula: the agent sent what is no message of the protocol; ignored"),
    State.

attach(Id, #state{attaching = Attaching} = State) when map_size(Attaching) >= ?MOST_ATTACHING ->
    ?LOG_WARNING("macula: too many tunnels at once; tunnel ~b is left alone", [Id]),
    State;
attach(Id, #state{member = #member{agent = #{address := Address}}, attaching = Attaching} = State) ->
    Monitor = macula_incoming:attach(Address, Id),
    State#state{attaching = Attaching#{Monitor => true}}.

part(Ref, Tunnels, #state{asked = Asked} = State) ->
    case Asked of
        #{Ref := {From, Parts, Timer}} ->
            State#state{asked = Asked#{Ref := {From, [Tunnels | Parts], Timer}}};
        #{} ->
            State
    end.

answer_list(Ref, Last, #state{asked = Asked} = State) ->
    case Asked of
        #{Ref := {_, Parts, _}} -> answer(Ref, {ok, tunnels(lists:reverse([Last | Parts]))}, State);
        #{} -> State
    end.

%% Those with all that a tunnel has, as macula_dist_relay promises.
tunnels(Parts) ->
    [
        Tunnel
     || Part <- Parts,
        #{
            id := Id,
            peer := _,
            state := _,
            direction := _,
            bytes_in := _,
            bytes_out := _,
            msgs_in := _,
            msgs_out := _
        } = Tunnel <- Part,
        is_binary(Id)
    ].

%% An answer that comes after its time finds nobody.
answer(Ref, Answer, #state{asked = Asked} = State) ->
    case maps:take(Ref, Asked) of
        {{From, _, Timer}, Left} ->
            _ = erlang:cancel_timer(Timer),
            gen_server:reply(From, Answer),
            State#state{asked = Left};
        error ->
            State
    end.
