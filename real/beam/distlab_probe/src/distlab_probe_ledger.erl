%% The two ends of the ledger: numbered messages, recorded where they leave and where they arrive.
%%
%% {ledger, Sender, Seq, SentAt, Payload}, to the process `ledger` of the peer; Seq counts from 1
%% per peer, SentAt is in nanoseconds since the run began. There is one sending process per peer:
%% a busy connection suspends it, and what it has missed it sends afterwards; with more than one,
%% numbers could overtake each other between being given and being sent.
-module(distlab_probe_ledger).

-export([prepare/0, start_link/0, send/2]).
-export([init/1, sender/1]).

%% Senders by peer: {binary(), pid()}.
-define(SENDERS, ?MODULE).

%% In the process that keeps the senders.
-spec prepare() -> ok.
prepare() ->
    ?SENDERS = ets:new(?SENDERS, [named_table, public, {read_concurrency, true}]),
    ok.

%% The receiver. The origin of times must be known.
-spec start_link() -> {ok, pid()}.
start_link() ->
    proc_lib:start_link(?MODULE, init, [self()]).

%% Hands one message over to the peer's sender.
-spec send(binary(), non_neg_integer()) -> ok.
send(Peer, Size) ->
    sender_for(Peer) ! {tick, Size},
    ok.

%% Two actions may come first at once; one of the senders then stays unused and ends.
sender_for(Peer) ->
    case ets:lookup(?SENDERS, Peer) of
        [{_, Sender}] ->
            Sender;
        [] ->
            New = proc_lib:spawn_link(?MODULE, sender, [Peer]),
            case ets:insert_new(?SENDERS, {Peer, New}) of
                true ->
                    New;
                false ->
                    New ! stop,
                    sender_for(Peer)
            end
    end.

-spec init(pid()) -> no_return().
init(Parent) ->
    true = register(ledger, self()),
    proc_lib:init_ack(Parent, {ok, self()}),
    receive_next(atom_to_binary(node())).

receive_next(Us) ->
    receive
        {ledger, Sender, Seq, SentAt, _Payload} when
            is_atom(Sender), is_integer(Seq), is_integer(SentAt)
        ->
            Now = distlab_probe_clock:now(),
            Subject = <<(atom_to_binary(Sender))/binary, "->", Us/binary>>,
            Latency = Now - distlab_probe_clock:origin() - SentAt,
            Fields = [{<<"seq">>, Seq}, {<<"latency_ns">>, Latency}],
            distlab_probe_events:record(Now, <<"message_received">>, Subject, Fields),
            receive_next(Us);
        _Other ->
            receive_next(Us)
    end.

-spec sender(binary()) -> ok.
sender(Peer) ->
    Subject = <<(atom_to_binary(node()))/binary, "->", Peer/binary>>,
    send_next({ledger, binary_to_atom(Peer)}, Subject, 1).

%% `!` never fails: what is lost because there is no connection was sent all the same.
send_next(To, Subject, Seq) ->
    receive
        {tick, Size} ->
            Now = distlab_probe_clock:now(),
            distlab_probe_events:record(Now, <<"message_sent">>, Subject, [{<<"seq">>, Seq}]),
            SentAt = Now - distlab_probe_clock:origin(),
            To ! {ledger, node(), Seq, SentAt, distlab_probe_payload:of_size(Size)},
            send_next(To, Subject, Seq + 1);
        stop ->
            ok
    end.
