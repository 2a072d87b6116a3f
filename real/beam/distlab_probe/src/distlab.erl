%% The functions of a node that peers may ask for by rpc, the same in native nodes
%% (models/process/functions.h).
-module(distlab).

-export([echo/1]).

-spec echo(Term) -> Term.
echo(Term) ->
    Term.
