%% The argument of macula:join_mesh/1 checked, and made the map the agent is sent.
-module(macula_options).

-export([request/2, cookie/0]).

-define(PROTOCOL_VERSION, 1).

%% `RelaysKnown`: the agent has relays of its own.
-spec request(macula:join_options(), RelaysKnown :: boolean()) ->
    {ok, map()} | {error, not_alive | {missing_option, atom()} | {bad_option, term()}}.
request(Options, RelaysKnown) when is_map(Options) ->
    Missing = not RelaysKnown andalso not is_map_key(relays, Options),
    case is_alive() of
        false -> {error, not_alive};
        true when Missing -> {error, {missing_option, relays}};
        true -> translate(maps:to_list(Options), ourselves())
    end;
request(Options, _RelaysKnown) ->
    {error, {bad_option, Options}}.

ourselves() ->
    #{
        version => ?PROTOCOL_VERSION,
        node => atom_to_binary(node()),
        cookie => cookie()
    }.

%% This node's own.
-spec cookie() -> binary().
cookie() ->
    atom_to_binary(erlang:get_cookie()).

translate([], Request) ->
    {ok, Request};
translate([{Key, Value} = Option | Rest], Request) ->
    case option(Key, Value) of
        {ok, Translated} -> translate(Rest, Request#{Key => Translated});
        error -> {error, {bad_option, Option}}
    end.

option(relays, [_ | _] = Relays) -> texts(Relays, []);
option(realm, Realm) -> text(Realm);
option(identity, Identity) when is_atom(Identity) -> {ok, atom_to_binary(Identity)};
option(identity, Identity) -> text(Identity);
option(tls_verify, none) -> {ok, none};
option(tls_verify, peer) -> {ok, peer};
option(tls_verify, verify_peer) -> {ok, peer};
option(cacertfile, File) -> text(File);
option(_, _) -> error.

texts([], Done) ->
    {ok, lists:reverse(Done)};
texts([First | Rest], Done) ->
    case text(First) of
        {ok, Text} -> texts(Rest, [Text | Done]);
        error -> error
    end.

text(<<_, _/binary>> = Text) ->
    {ok, Text};
text([_ | _] = Text) ->
    case io_lib:char_list(Text) andalso unicode:characters_to_binary(Text) of
        Binary when is_binary(Binary) -> {ok, Binary};
        _ -> error
    end;
text(_) ->
    error.
