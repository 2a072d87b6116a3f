%% Terms as native nodes print them (models/etf/print.cc): as ~0p, but processes, ports and
%% references with the name of their node.
-module(distlab_probe_print).

-export([term/1, reason/1]).

%% As Term::to_string.
-define(LIMIT, 200).

-spec term(term()) -> binary().
term(Term) ->
    Text = unicode:characters_to_binary(print(Term)),
    case string:length(Text) > ?LIMIT of
        true -> <<(string:slice(Text, 0, ?LIMIT))/binary, "...">>;
        false -> Text
    end.

%% Why a connection ended or failed. What an agent gave as its reason is text already.
-spec reason(term()) -> binary().
reason({refused, Text}) when is_list(Text) ->
    unicode:characters_to_binary(Text);
reason(Reason) ->
    term(Reason).

print(Pid) when is_pid(Pid) ->
    <<131, 88, Rest/binary>> = term_to_binary(Pid),
    {Node, <<Id:32, Serial:32, _Creation:32>>} = node_first(Rest),
    io_lib:format("<~ts.~b.~b>", [Node, Id, Serial]);
print(Reference) when is_reference(Reference) ->
    <<131, 90, _Length:16, Rest/binary>> = term_to_binary(Reference),
    {Node, <<_Creation:32, Words/binary>>} = node_first(Rest),
    Numbers = lists:reverse([Word || <<Word:32>> <= Words]),
    io_lib:format("#Ref<~ts~ts>", [Node, [[$., integer_to_list(N)] || N <- Numbers]]);
print(Port) when is_port(Port) ->
    <<131, Tag, Rest/binary>> = term_to_binary(Port),
    {Node, Numbers} = node_first(Rest),
    io_lib:format("#Port<~ts.~b>", [Node, port_number(Tag, Numbers)]);
print(Tuple) when is_tuple(Tuple) ->
    ["{", lists:join(",", [print(E) || E <- tuple_to_list(Tuple)]), "}"];
print(Map) when is_map(Map) ->
    Pairs = [[print(K), " => ", print(V)] || {K, V} <- lists:sort(maps:to_list(Map))],
    ["#{", lists:join(",", Pairs), "}"];
print([_ | _] = List) ->
    case io_lib:printable_latin1_list(List) of
        true -> io_lib:format("~0p", [List]);
        false -> ["[", elements(List), "]"]
    end;
print(Other) ->
    io_lib:format("~0p", [Other]).

elements([Last]) -> print(Last);
elements([First | [_ | _] = Rest]) -> [print(First), ",", elements(Rest)];
elements([First | Tail]) -> [print(First), "|", print(Tail)].

%% In external format the node comes first, as one of the encodings of an atom.
node_first(<<119, Size, Name:Size/binary, Rest/binary>>) -> {Name, Rest};
node_first(<<118, Size:16, Name:Size/binary, Rest/binary>>) -> {Name, Rest};
node_first(<<115, Size, Name:Size/binary, Rest/binary>>) -> {Name, Rest};
node_first(<<100, Size:16, Name:Size/binary, Rest/binary>>) -> {Name, Rest}.

port_number(89, <<Id:32, _Creation:32>>) -> Id;
port_number(120, <<Id:64, _Creation:32>>) -> Id.
