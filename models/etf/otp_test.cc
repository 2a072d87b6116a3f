// OTP 25 itself as the oracle: one escript is given our bytes and Erlang source of the same terms.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "models/etf/codec.h"

namespace distlab::etf {
namespace {

using Raw = std::vector<uint8_t>;

// Runs Erlang source as the body of main/1 and returns the lines it printed. utf8/1 is
// term_to_binary as between nodes, hex/1 prints bytes.
std::vector<std::string> run_erlang(const std::string& body) {
  std::string path = ::testing::TempDir() + "distlab-etf-XXXXXX";
  const int fd = mkstemp(path.data());
  if (fd < 0) throw std::runtime_error("no temporary file " + path);
  close(fd);
  std::ofstream(path) << R"(#!/usr/bin/env escript
-compile(nowarn_unused_function).
utf8(T) -> term_to_binary(T, [{minor_version, 2}]).
hex(Bytes) -> binary:encode_hex(Bytes).
main(_) ->
)" << body << ".\n";
  const std::string command = "ERL_CRASH_DUMP_SECONDS=0 escript '" + path + "' 2>&1";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::vector<std::string> lines(1);
  std::array<char, 4096> chunk{};
  while (pipe && fgets(chunk.data(), chunk.size(), pipe.get()) != nullptr) {
    lines.back() += chunk.data();
    if (lines.back().back() != '\n') continue;
    lines.back().pop_back();
    lines.emplace_back();
  }
  lines.pop_back();
  std::remove(path.c_str());
  return lines;
}

// One token of Erlang source, however long.
std::string erlang_binary(const Raw& bytes) {
  std::string hex;
  for (const uint8_t byte : bytes) hex += fmt::format("{:02X}", byte);
  return fmt::format("binary:decode_hex(<<\"{}\">>)", hex);
}

Raw from_hex(const std::string& hex) {
  Raw bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::strtoul(hex.substr(i, 2).c_str(), nullptr, 16)));
  }
  return bytes;
}

Term numbers(int64_t from, int64_t to) {
  Terms out;
  for (int64_t i = from; i <= to; ++i) out.emplace_back(i);
  return list(std::move(out));
}

Term squares(int64_t count) {
  Pairs out;
  for (int64_t i = 1; i <= count; ++i) out.emplace_back(i, i * i);
  return map(std::move(out));
}

struct Row {
  std::string erlang;
  Term term;
  bool prints_alike = true;  // ~0p and to_string() agree
};

const std::vector<Row>& table() {
  static const std::vector<Row> rows{
      {"0", 0},
      {"255", 255},
      {"256", 256},
      {"-1", -1},
      {"(1 bsl 31) - 1", INT32_MAX},
      {"1 bsl 31", int64_t{1} << 31},
      {"-(1 bsl 31)", INT32_MIN},
      {"-(1 bsl 31) - 1", int64_t{INT32_MIN} - 1},
      {"(1 bsl 63) - 1", INT64_MAX},
      {"-(1 bsl 63)", INT64_MIN},
      {"(1 bsl 64) - 1", UINT64_MAX},
      {"-(1 bsl 64)", BigInt{true, {0, 0, 0, 0, 0, 0, 0, 0, 1}}},
      {"16#" + std::string(510, 'f'), BigInt{false, Raw(255, 0xff)}},
      {"16#" + std::string(512, 'f'), BigInt{false, Raw(256, 0xff)}},
      {"-16#" + std::string(800, 'f'), BigInt{true, Raw(400, 0xff)}, false},
      {"0.0", 0.0},
      {"-0.0", -0.0},
      {"1.5", 1.5},
      {"0.1", 0.1},
      {"100.0", 100.0},
      {"1000.0", 1000.0},
      {"12345.678", 12345.678},
      {"-1.0e-5", -1.0e-5},
      {"0.0001", 0.0001},
      {"123456789.0", 123456789.0},
      {"9007199254740990.0", 9007199254740990.0},
      {"9007199254740992.0", 9007199254740992.0},
      {"1.7976931348623157e308", 1.7976931348623157e308},
      {"5.0e-324", 5.0e-324},
      {"ok", atom("ok")},
      {"''", atom("")},
      {"'Hello World'", atom("Hello World")},
      {"'it\\'s\\\\'", atom("it's\\")},
      {"'a\\nb\\tc\\000\\001\\e\\d'", atom(std::string("a\nb\tc\0\1\x1b\x7f", 9))},
      {"'div'", atom("div")},
      {"maybe", atom("maybe")},
      {"a@b_C1", atom("a@b_C1")},
      {"'a.b'", atom("a.b")},
      {"list_to_atom([16#f8, 16#20ac, 16#1f600])", atom("ø€😀"), false},
      {"list_to_atom(lists:duplicate(255, $a))", atom(std::string(255, 'a'))},
      {"list_to_atom(lists:duplicate(255, 16#20ac))", atom([] {
         std::string text;
         for (int i = 0; i < 255; ++i) text += "€";
         return text;
       }()),
       false},
      {"{}", tuple()},
      {"{a, {1}, []}", tuple(atom("a"), tuple(1), Term())},
      {"list_to_tuple(lists:seq(1, 255))", tuple(Terms(*numbers(1, 255).as<List>()->elements))},
      {"list_to_tuple(lists:seq(1, 256))", tuple(Terms(*numbers(1, 256).as<List>()->elements))},
      {"[]", Term()},
      {"[1, 2, 3]", list({1, 2, 3})},
      {"[1, 256]", list({1, 256})},
      {"[1, -1]", list({1, -1})},
      {"[a | b]", improper_list({atom("a")}, atom("b"))},
      {"[1, 2 | 3]", improper_list({1, 2}, 3)},
      {"[[]]", list({Term()})},
      {"\"abc\"", string("abc")},
      {"\"tab\\t nl\\n cr\\r bs\\b esc\\e \\\"quoted\\\" \\\\\"", string("tab\t nl\n cr\r bs\b esc\x1b \"quoted\" \\")},
      {"[0, 1]", list({0, 1})},
      {"[127]", list({127})},
      {"lists:duplicate(65535, 7)", list(Terms(65535, 7)), false},
      {"lists:duplicate(65536, 7)", list(Terms(65536, 7)), false},
      {"<<>>", binary("")},
      {"<<\"hello\">>", binary("hello")},
      {"<<\"a\\\"b\\n\">>", binary("a\"b\n")},
      {"<<1, 2, 255>>", binary(Raw{1, 2, 255})},
      {"<<5:3>>", Bits{{0xa0}, 3}},
      {"<<1, 2, 1:1>>", Bits{{1, 2, 0x80}, 1}},
      {"binary:copy(<<0>>, 100000)", binary(Raw(100'000, 0)), false},
      {"#{}", map({})},
      {"#{b => 1, a => 2, 1 => x, 1.0 => y}", map({{atom("b"), 1}, {atom("a"), 2}, {1, atom("x")}, {1.0, atom("y")}})},
      {"#{#{x => 1} => [], {} => #{}}", map({{map({{atom("x"), 1}}), Term()}, {tuple(), map({})}})},
      {"maps:from_list([{I, I * I} || I <- lists:seq(1, 32)])", squares(32)},
      {"fun lists:map/2", Export{"lists", "map", 2}},
      {"fun 'A':'b c'/0", Export{"A", "b c", 0}},
  };
  return rows;
}

// Each term of the table: OTP writes the bytes we write, reads ours as its own term, and prints
// what we print.
TEST(Otp, WritesReadsAndPrintsAsWeDo) {
  std::string rows;
  for (const Row& row : table()) {
    if (!rows.empty()) rows += ",\n";
    rows += fmt::format("{{{}, {}}}", row.erlang, erlang_binary(encode(row.term)));
  }
  const auto lines = run_erlang(
      R"([io:format("~s ~w ~0p~n", [hex(utf8(T)), binary_to_term(Ours) =:= T, T]) || {T, Ours} <- [)" + rows + "]]");
  ASSERT_EQ(lines.size(), table().size()) << fmt::format("{}", fmt::join(lines, "\n"));
  for (size_t i = 0; i < lines.size(); ++i) {
    const Row& row = table()[i];
    const size_t first = lines[i].find(' '), second = lines[i].find(' ', first + 1);
    ASSERT_NE(second, std::string::npos) << lines[i];
    const Raw theirs = from_hex(lines[i].substr(0, first));
    EXPECT_EQ(encode(row.term), theirs) << row.erlang;
    const auto decoded = decode(theirs);
    ASSERT_TRUE(decoded) << row.erlang << ": " << decoded.error().what;
    EXPECT_EQ(decoded->term, row.term) << row.erlang;
    EXPECT_EQ(lines[i].substr(first + 1, second - first - 1), "true") << "OTP does not read ours as " << row.erlang;
    if (row.prints_alike) {
      EXPECT_EQ(row.term.to_string(10'000), lines[i].substr(second + 1)) << row.erlang;
    }
  }
}

// Terms that only a running node has, in every form it can write them: read, written again and
// read by OTP, they are the same terms. Compressed, we read them too.
TEST(Otp, TermsOfARunningNodeSurviveUs) {
  const std::vector<std::string> sources{
      "self()",
      "make_ref()",
      "alias()",
      "hd(erlang:ports())",
      "{'$gen_call', {self(), [alias | make_ref()]}, {is_auth, node()}}",
      "fun(X) -> X + 1 end",
      "(fun(A, B) -> fun(C) -> {A, B, C, self()} end end)(<<\"free\">>, #{k => 1})",
      "maps:from_list([{I, {I}} || I <- lists:seq(1, 1000)])",  // a HAMT: OTP does not sort it
      "lists:seq(1, 5000)",
      // From elsewhere, with the tags OTP chooses for them.
      "binary_to_term(<<131,88,119,3,\"a@b\",0,0,255,255,0,0,0,1,7:32>>)",
      "binary_to_term(<<131,120,119,3,\"a@b\",(1 bsl 28 - 1):64,7:32>>)",
      "binary_to_term(<<131,120,119,3,\"a@b\",(1 bsl 28):64,7:32>>)",
      "binary_to_term(<<131,120,119,3,\"a@b\",(1 bsl 40):64,7:32>>)",
      "binary_to_term(<<131,90,0,5,119,3,\"a@b\",7:32,1:32,2:32,3:32,4:32,5:32>>)",
      "binary_to_term(<<131,112,57:32,1,0:128,1:32,0:32,119,1,$a,97,3,98,255,255,255,255,88,119,1,$a,1:32,2:32,3:32>>)",
  };
  // First OTP writes; then it gets back what we made of that, and compares bytes.
  const auto first = run_erlang(
      R"(Forms = fun(T) -> [hex(utf8(T)), hex(term_to_binary(T)), hex(term_to_binary(T, [compressed]))] end,
         [io:format("~s ~s ~s~n", Forms(T)) || T <- [)" +
      fmt::format("{}", fmt::join(sources, ",\n")) + "]]");
  ASSERT_EQ(first.size(), sources.size()) << fmt::format("{}", fmt::join(first, "\n"));
  std::string pairs;
  for (size_t i = 0; i < first.size(); ++i) {
    std::vector<Raw> forms;
    std::istringstream words(first[i]);
    for (std::string word; words >> word;) forms.push_back(from_hex(word));
    ASSERT_EQ(forms.size(), 3u) << first[i];
    const auto decoded = decode(forms[0]);
    ASSERT_TRUE(decoded) << sources[i] << ": " << decoded.error().what;
    EXPECT_EQ(decoded->consumed, forms[0].size()) << sources[i];
    for (const Raw& form : forms) {
      const auto same = decode(form);
      ASSERT_TRUE(same) << sources[i] << ": " << same.error().what;
      EXPECT_EQ(same->term, decoded->term) << sources[i];
    }
    pairs +=
        fmt::format("{}{{{}, {}}}", i == 0 ? "" : ",\n", erlang_binary(forms[0]), erlang_binary(encode(decoded->term)));
  }
  const auto second = run_erlang(
      R"(Same = fun(A, B) -> A =:= B andalso utf8(A) =:= utf8(B) end,
         [io:format("~w~n", [Same(binary_to_term(Theirs), binary_to_term(Ours))]) || {Theirs, Ours} <- [)" +
      pairs + "]]");
  EXPECT_EQ(second, std::vector<std::string>(sources.size(), "true"));
}

// What OTP refuses to read we refuse, and what it reads, however odd, we read as the same term.
TEST(Otp, RefusesWhatWeRefuse) {
  const std::string pad(31, '\0');
  const auto old_float = [&](const std::string& text) {
    Raw bytes{131, 99};
    const std::string padded = (text + pad).substr(0, 31);
    bytes.insert(bytes.end(), padded.begin(), padded.end());
    return bytes;
  };
  const auto long_atom = [](uint8_t tag) {
    Raw bytes{131, tag, 1, 0};
    bytes.insert(bytes.end(), 256, 'a');
    return bytes;
  };
  const std::vector<Raw> rows{
      {131},
      {130, 106},
      {131, 0},
      {131, 75},
      {131, 82, 0},
      {131, 131, 106},
      {131, 97},
      {131, 106, 106},                              // bytes behind are left alone
      {131, 110, 0, 0},                             // a big integer that is 0
      {131, 110, 0, 1},                             // and -0
      {131, 110, 1, 7, 5},                          // any sign but 0 is minus
      {131, 110, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0},  // leading zeros
      {131, 111, 0, 0, 0, 1, 0, 5},                 // large, but small
      {131, 70, 127, 240, 0, 0, 0, 0, 0, 0},        // infinite
      {131, 70, 127, 248, 0, 0, 0, 0, 0, 0},        // not a number
      {131, 108, 0, 0, 0, 0, 97, 5},                // [|5]
      {131, 108, 0, 0, 0, 1, 97, 5, 107, 0, 1, 1},  // [5|"\1"]
      {131, 108, 0, 0, 0, 1, 97, 5, 108, 0, 0, 0, 1, 97, 6, 97, 7},
      {131, 107, 0, 0},
      {131, 105, 0, 0, 0, 1, 97, 1},
      {131, 105, 0, 0, 0, 0},
      {131, 105, 0, 0, 0, 2, 97, 1},
      {131, 109, 0, 0, 0, 2, 1},
      {131, 77, 0, 0, 0, 0, 0},
      {131, 77, 0, 0, 0, 0, 3},
      {131, 77, 0, 0, 0, 1, 0, 3},
      {131, 77, 0, 0, 0, 1, 8, 3},
      {131, 77, 0, 0, 0, 1, 9, 3},
      {131, 77, 0, 0, 0, 1, 3, 255},  // unused bits set
      {131, 116, 0, 0, 0, 1, 97, 1},
      {131, 116, 0, 0, 0, 2, 97, 1, 97, 1, 97, 1, 97, 2},  // a key twice
      {131, 116, 0, 0, 0, 2, 97, 1, 97, 1, 70, 63, 240, 0, 0, 0, 0, 0, 0, 97, 2},
      {131, 116, 0, 0, 0, 2, 97, 2, 97, 1, 97, 1, 97, 2},  // not sorted
      {131, 116, 0, 0, 0, 2, 70, 0, 0, 0, 0, 0, 0, 0, 0, 97, 1, 70, 128, 0, 0, 0, 0, 0, 0, 0, 97, 2},
      {131, 119, 0},
      {131, 119, 1, 0},
      {131, 119, 2, 0xc3, 0x28},
      {131, 119, 2, 0xc0, 0x80},              // overlong
      {131, 119, 3, 0xed, 0xa0, 0x80},        // a surrogate
      {131, 119, 4, 0xf4, 0x90, 0x80, 0x80},  // beyond Unicode
      {131, 119, 2, 0xc3},
      {131, 115, 2, 'o', 'k'},
      {131, 115, 1, 0xf8},
      long_atom(100),
      long_atom(118),
      {131, 113, 119, 1, 'm', 119, 1, 'f', 97, 3},
      {131, 113, 119, 1, 'm', 119, 1, 'f', 98, 0, 0, 0, 3},
      {131, 113, 119, 1, 'm', 97, 1, 97, 3},
      {131, 88, 97, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1},  // a node that is no atom
      {131, 90, 0, 6, 119, 1, 'a', 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1},
      old_float("1.50000000000000000000e+00"),
      old_float("+1.5"),
      old_float("-1.5e3"),
      old_float("15"),
      old_float("1.5x"),
      old_float(" 1.5"),
      old_float("1.5e-999"),
      old_float("1.5e999"),
      old_float("inf"),
      old_float(""),
      {131, 80, 0, 0, 0, 3, 120, 156, 75, 100, 100, 2, 0, 1, 42, 0, 101},  // <<97,1,2>>: one byte too many
      {131, 80, 0, 0, 0, 2, 120, 156, 75, 100, 100, 2, 0, 1, 42, 0, 101},  // larger than announced
      {131, 80, 0, 0, 0, 4, 120, 156, 75, 100, 100, 2, 0, 1, 42, 0, 101},  // smaller
      {131, 80, 0, 0, 0, 3, 120, 156, 75, 100},
      {131, 80, 0, 0, 0, 3, 1, 2, 3, 4},
  };
  std::string source;
  for (const Raw& row : rows) source += (source.empty() ? "" : ",\n") + erlang_binary(row);
  const auto lines = run_erlang(
      R"([io:format("~s~n", [try hex(utf8(binary_to_term(Bin))) catch error:badarg -> "badarg" end]) || Bin <- [)" +
      source + "]]");
  ASSERT_EQ(lines.size(), rows.size()) << fmt::format("{}", fmt::join(lines, "\n"));
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto decoded = decode(rows[i]);
    if (lines[i] == "badarg") {
      EXPECT_FALSE(decoded) << "row " << i << ": we read " << decoded->term.to_string();
    } else {
      ASSERT_TRUE(decoded) << "row " << i << ": " << decoded.error().what << ", but OTP reads " << lines[i];
      EXPECT_EQ(encode(decoded->term), from_hex(lines[i])) << "row " << i << ": " << decoded->term.to_string();
    }
  }
}

}  // namespace
}  // namespace distlab::etf
