%% Events on their way to the actor: recorded by any process, sent many at a time, oldest first.
%%
%% Before the plan has come nothing is sent, since the origin of times and the quiet kinds are not
%% known. All frames of the probe go out here, so that they keep their order.
-module(distlab_probe_events).
-behaviour(gen_server).

-export([start_link/0, record/3, record/4, backlog/0, connect/1, open/1, send/1, flush/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).
-export_type([field/0]).

-type field() :: {binary(), integer() | float() | binary()}.
-type event() :: {integer(), binary(), binary(), [field()]}.

%% How long an event may wait for others, and how many go together.
-define(WAIT_MS, 20).
-define(BATCH, 512).

-record(state, {
    socket :: gen_tcp:socket() | undefined,
    % Nothing is sent before the plan.
    open = false :: boolean(),
    quiet = #{} :: #{binary() => true},
    % Newest first.
    events = [] :: [event()],
    count = 0 :: non_neg_integer(),
    timer :: reference() | undefined
}).

-spec start_link() -> gen_server:start_ret().
start_link() ->
    gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

%% Text may be any string; what is no binary yet is made one.
-spec record(binary(), binary(), [field()]) -> ok.
record(Kind, Subject, Fields) ->
    record(distlab_probe_clock:now(), Kind, Subject, Fields).

%% Of something that was at `Time` of distlab_probe_clock:now/0.
-spec record(integer(), binary(), binary(), [field()]) -> ok.
record(Time, Kind, Subject, Fields) ->
    gen_server:cast(?MODULE, {event, {Time, Kind, Subject, Fields}}).

%% Events not yet looked at, for those who would rather drop theirs.
-spec backlog() -> non_neg_integer().
backlog() ->
    case whereis(?MODULE) of
        undefined -> 0;
        Pid -> backlog(process_info(Pid, message_queue_len))
    end.

backlog({message_queue_len, Length}) -> Length;
backlog(undefined) -> 0.

-spec connect(gen_tcp:socket()) -> ok.
connect(Socket) ->
    gen_server:call(?MODULE, {connect, Socket}, infinity).

%% From now on events are sent, less those of the quiet kinds.
-spec open([binary()]) -> ok.
open(Quiet) ->
    gen_server:call(?MODULE, {open, Quiet}, infinity).

%% A frame of its own, behind the events recorded before it.
-spec send(term()) -> ok.
send(Term) ->
    gen_server:cast(?MODULE, {send, Term}).

%% Returns when everything this process has recorded is with the kernel of the machine.
-spec flush() -> ok.
flush() ->
    gen_server:call(?MODULE, flush, infinity).

-spec init([]) -> {ok, #state{}}.
init([]) ->
    process_flag(priority, high),
    {ok, #state{}}.

-spec handle_call(term(), gen_server:from(), #state{}) -> {reply, ok, #state{}}.
handle_call({connect, Socket}, _From, State) ->
    {reply, ok, State#state{socket = Socket}};
handle_call({open, Quiet}, _From, State) ->
    Open = State#state{open = true, quiet = maps:from_keys(Quiet, true)},
    {reply, ok, flushed(Open)};
handle_call(flush, _From, State) ->
    {reply, ok, flushed(State)}.

-spec handle_cast(term(), #state{}) -> {noreply, #state{}}.
handle_cast({event, Event}, #state{events = Events, count = Count} = State) ->
    Next = State#state{events = [Event | Events], count = Count + 1},
    {noreply, full_or_later(Next)};
handle_cast({send, Term}, State) ->
    Next = flushed(State),
    write(Next, Term),
    {noreply, Next}.

-spec handle_info(term(), #state{}) -> {noreply, #state{}}.
handle_info(flush, State) ->
    {noreply, flushed(State#state{timer = undefined})};
handle_info(_Other, State) ->
    {noreply, State}.

full_or_later(#state{open = true, count = Count} = State) when Count >= ?BATCH ->
    flushed(State);
full_or_later(#state{open = true, timer = undefined} = State) ->
    State#state{timer = erlang:send_after(?WAIT_MS, self(), flush)};
full_or_later(State) ->
    State.

flushed(#state{open = false} = State) ->
    State;
flushed(#state{events = Events, quiet = Quiet, timer = Timer} = State) ->
    _ = Timer =/= undefined andalso erlang:cancel_timer(Timer),
    Origin = distlab_probe_clock:origin(),
    Loud = [
        {Time - Origin, Kind, Subject, Fields}
     || {Time, Kind, Subject, Fields} <- lists:reverse(Events), not is_map_key(Kind, Quiet)
    ],
    _ = Loud =/= [] andalso write(State, {events, lists:keysort(1, Loud)}),
    State#state{events = [], count = 0, timer = undefined}.

%% {error, closed}: distlab_probe_link gets the message of it, and ends the node.
write(#state{socket = Socket}, Term) when Socket =/= undefined ->
    case gen_tcp:send(Socket, term_to_binary(Term)) of
        ok -> ok;
        {error, _} -> ok
    end.
