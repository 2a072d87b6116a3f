%% Payloads: the bytes native nodes send (models/workload/ledger.cc, payload_of), which look like
%% compressed data. All are beginnings of one sequence, made once; it repeats after a mebibyte, as
%% more takes longer to make here than a run should wait for.
-module(distlab_probe_payload).

-export([prepare/1, of_size/1]).

-define(BYTES, {?MODULE, bytes}).

%% Knuth's MMIX generator modulo 2^64, its numbers in limbs of 22, 22 and 20 bits, so that no
%% product leaves the emulator's small integers.
-define(FACTOR, 6364136223846793005).
-define(ADDEND, 1442695040888963407).
-define(LOW(N), ((N) band 16#3fffff)).
-define(MIDDLE(N), (((N) bsr 22) band 16#3fffff)).
-define(HIGH(N), ((N) bsr 44)).

-define(PERIOD, 1_048_576).

%% Before the workload begins.
-spec prepare([non_neg_integer()]) -> ok.
prepare(Sizes) ->
    Size = lists:max([0 | Sizes]),
    Bytes = bytes(min(Size, ?PERIOD), 1, 0, 0, <<>>),
    persistent_term:put(?BYTES, binary:copy(Bytes, max(1, (Size + ?PERIOD - 1) div ?PERIOD))).

%% At most the largest that was prepared for.
-spec of_size(non_neg_integer()) -> binary().
of_size(Size) ->
    binary:part(persistent_term:get(?BYTES), 0, Size).

bytes(0, _, _, _, Bytes) ->
    Bytes;
bytes(Left, X0, X1, X2, Bytes) ->
    Y0 = X0 * ?LOW(?FACTOR) + ?LOW(?ADDEND),
    Y1 = X0 * ?MIDDLE(?FACTOR) + X1 * ?LOW(?FACTOR) + ?MIDDLE(?ADDEND) + (Y0 bsr 22),
    Y2 =
        X0 * ?HIGH(?FACTOR) + X1 * ?MIDDLE(?FACTOR) + X2 * ?LOW(?FACTOR) + ?HIGH(?ADDEND) + (Y1 bsr 22),
    Z2 = Y2 band 16#fffff,
    bytes(Left - 1, ?LOW(Y0), ?LOW(Y1), Z2, <<Bytes/binary, (Z2 bsr 12)>>).
