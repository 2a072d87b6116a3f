%% The mesh as a user sees it: join, leave, look.
%%
%% A node started with `-proto_dist macula -no_epmd -start_epmd false` reaches no other node until
%% it has joined. The agent does the joining (macula_agent); this application carries the
%% distribution channels between it and net_kernel (macula_dist).
-module(macula).

-export([join_mesh/1, leave/0, status/0]).
-export_type([join_options/0, join_error/0]).

%% Texts may be binaries or strings. What is absent is the agent's to choose; `relays` may be absent
%% only where DISTLAB_AGENT names an agent that knows its relays.
-type join_options() :: #{
    relays => [binary() | string()],
    realm => binary() | string(),
    identity => binary() | string() | atom(),
    tls_verify => none | peer | verify_peer,
    cacertfile => binary() | string()
}.

-type join_error() ::
    already_joined
    | not_alive
    | {missing_option, atom()}
    | {bad_option, term()}
    | {agent_not_found, string()}
    | {agent_failed, string()}
    | {agent_unreachable, string(), inet:posix() | atom()}
    | {agent_silent, timeout | closed | inet:posix() | bad_answer}
    | {refused, string()}.

%% Returns once the agent has taken this node into the mesh, or with the reason why it has not. It
%% answers within about 40 s, however the agent behaves.
-spec join_mesh(join_options()) -> ok | {error, join_error()}.
join_mesh(Options) ->
    case application:ensure_all_started(macula) of
        {ok, _} -> macula_client:join(Options);
        {error, Reason} -> {error, {agent_failed, lists:flatten(io_lib:format("~0p", [Reason]))}}
    end.

%% Leaves the mesh; all its connections go down. An agent that join_mesh/1 started ends.
-spec leave() -> ok | {error, not_joined}.
leave() ->
    macula_client:leave().

%% What the agent says of its session with a relay.
-spec status() ->
    {ok, #{relay => binary(), connected => boolean()}} | {error, not_joined | timeout}.
status() ->
    macula_client:ask(status).
