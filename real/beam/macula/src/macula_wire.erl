%% Frames between this node and its agent: README.md of this folder has the whole protocol.
%%
%% Two bytes of length and a term in external format. A frame that is none, or holds atoms the
%% protocol does not know, is `bad_answer` and never a crash or a new atom.
-module(macula_wire).

-export([address/1, connect/2, request/3, send/2, decode/1]).
-export_type([address/0, failure/0]).

-type address() :: {inet:ip4_address(), inet:port_number()}.
-type failure() ::
    {refused, string()} | {agent_silent, timeout | closed | inet:posix() | bad_answer}.

-define(CONNECT_TIMEOUT, 5_000).

%% "127.0.0.1:4500".
-spec address(string()) -> {ok, address()} | error.
address(Text) ->
    case string:split(Text, ":", trailing) of
        [Host, Port] -> address(inet:parse_ipv4strict_address(Host), string:to_integer(Port));
        _ -> error
    end.

address({ok, Host}, {Port, ""}) when Port > 0, Port < 65536 -> {ok, {Host, Port}};
address(_, _) -> error.

%% inet_tcp rather than gen_tcp: erlang:setnode/3 wants a port, whatever inet_backend is chosen.
%% The options of inet_tcp_dist apply to these sockets too.
-spec connect(address(), [list | binary]) ->
    {ok, inet:socket()} | {error, {agent_unreachable, string(), inet:posix() | atom()}}.
connect({Host, Port}, Mode) ->
    Options = Mode ++ own_options() ++ [{active, false}, {packet, 2}, {nodelay, true}],
    case inet_tcp:connect(Host, Port, Options, ?CONNECT_TIMEOUT) of
        {ok, Socket} ->
            {ok, Socket};
        {error, Reason} ->
            Address = inet:ntoa(Host) ++ ":" ++ integer_to_list(Port),
            {error, {agent_unreachable, Address, Reason}}
    end.

own_options() ->
    case application:get_env(kernel, inet_dist_connect_options) of
        {ok, Options} when is_list(Options) -> Options;
        _ -> []
    end.

%% The first frame of a connection and its answer.
-spec request(inet:socket(), tuple(), timeout()) -> ok | {error, failure()}.
request(Socket, Request, Timeout) ->
    case send(Socket, Request) of
        ok -> answer(inet_tcp:recv(Socket, 0, Timeout));
        {error, Reason} -> {error, {agent_silent, Reason}}
    end.

answer({ok, Data}) ->
    case decode(Data) of
        {ok, ok} -> ok;
        {ok, {error, Text}} when is_binary(Text) -> {error, {refused, printable(Text)}};
        _ -> {error, {agent_silent, bad_answer}}
    end;
answer({error, Reason}) ->
    {error, {agent_silent, Reason}}.

printable(Text) ->
    case unicode:characters_to_list(Text) of
        List when is_list(List) -> List;
        _ -> binary_to_list(Text)
    end.

-spec send(inet:socket(), tuple()) -> ok | {error, closed | inet:posix()}.
send(Socket, Term) ->
    inet_tcp:send(Socket, term_to_binary(Term)).

-spec decode(binary() | [byte()]) -> {ok, term()} | error.
decode(Data) ->
    try
        {ok, binary_to_term(iolist_to_binary(Data), [safe])}
    catch
        error:badarg -> error
    end.
