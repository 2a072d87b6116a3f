%% Global names: a `global_changed` for every name this node's global_name_server takes in or drops,
%% and for what the workload asks of it.
%%
%% global tells nobody of its changes, so the two functions of global.erl (OTP 25) that make them
%% are traced. delete_global_name/2 is called for every deletion, but also when a name gets another
%% process; delete_global_name2/2 comes before it when the name goes.
-module(distlab_probe_names).
-behaviour(gen_server).

-export([start_link/0, register_name/2, sync/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

-include_lib("kernel/include/logger.hrl").

%% The name whose deletion has begun.
-record(state, {deleting = none :: none | {name, term()}}).

-spec start_link() -> gen_server:start_ret().
start_link() ->
    gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

-spec register_name(binary(), pid()) -> ok.
register_name(Name, Pid) ->
    case global:register_name(binary_to_atom(Name), Pid) of
        yes -> record(Name, Name, <<"register_yes">>);
        no -> record(Name, Name, <<"register_no">>)
    end.

-spec sync() -> ok.
sync() ->
    _ = global:sync(),
    record(atom_to_binary(node()), <<>>, <<"synced">>).

-spec init([]) -> {ok, #state{}}.
init([]) ->
    process_flag(priority, high),
    trace(whereis(global_name_server)),
    {ok, #state{}}.

%% Without `-connect_all` there is a global_name_server too.
trace(Server) ->
    1 = erlang:trace(Server, true, [call, arity, {tracer, self()}]),
    Functions = [{insert_global_name, 6}, {delete_global_name2, 2}, {delete_global_name, 2}],
    Missing = [
        Function
     || {Function, Arity} <- Functions,
        erlang:trace_pattern({global, Function, Arity}, match(Arity), [local]) =:= 0
    ],
    _ = Missing =/= [] andalso
        ?LOG_WARNING("distlab_probe: this OTP's global lacks ~0p; changes of names go unseen", [Missing]),
    ok.

%% The trace message has the name, and not the server's whole state.
match(Arity) ->
    [{['$1' | lists:duplicate(Arity - 1, '_')], [], [{message, '$1'}]}].

%% Once this is answered, what had come before it is recorded.
-spec handle_call(sync, gen_server:from(), #state{}) -> {reply, ok, #state{}}.
handle_call(sync, _From, State) ->
    {reply, ok, State}.

-spec handle_cast(term(), #state{}) -> {noreply, #state{}}.
handle_cast(_Request, State) ->
    {noreply, State}.

-spec handle_info(term(), #state{}) -> {noreply, #state{}}.
handle_info({trace, _, call, {global, Function, _}, Name}, State) ->
    {noreply, called(Function, Name, State)};
handle_info(_Other, State) ->
    {noreply, State}.

called(insert_global_name, Name, _State) ->
    changed(Name, <<"registered">>),
    #state{};
called(delete_global_name2, Name, _State) ->
    #state{deleting = {name, Name}};
called(delete_global_name, Name, #state{deleting = {name, Name}}) ->
    changed(Name, <<"unregistered">>),
    #state{};
called(delete_global_name, _Name, _State) ->
    #state{}.

changed(Name, Action) ->
    Printed = distlab_probe_print:term(Name),
    record(Printed, Printed, Action).

record(Subject, Name, Action) ->
    Fields = [{<<"name">>, Name}, {<<"action">>, Action}],
    distlab_probe_events:record(<<"global_changed">>, Subject, Fields).
