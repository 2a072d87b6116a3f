%% The run's clock: nanoseconds of CLOCK_MONOTONIC, which all processes of the machine share.
%%
%% os:perf_counter/0 is sys_perf_counter() of erts, which on Linux is clock_gettime(CLOCK_MONOTONIC)
%% without the corrections erlang:monotonic_time/0 makes.
-module(distlab_probe_clock).

-export([now/0, set_origin/1, origin/0, since_origin/0]).

-define(ORIGIN, {?MODULE, origin}).

-spec now() -> integer().
now() ->
    os:perf_counter(nanosecond).

%% When the run began, on the same clock.
-spec set_origin(integer()) -> ok.
set_origin(Nanoseconds) ->
    persistent_term:put(?ORIGIN, Nanoseconds).

-spec origin() -> integer().
origin() ->
    persistent_term:get(?ORIGIN).

%% Only once there is an origin.
-spec since_origin() -> integer().
since_origin() ->
    ?MODULE:now() - origin().
