#include "models/tunnel/request.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace distlab::tunnel {
namespace {

using Json = nlohmann::json;

TEST(Request, NamesAreAsTheFactsSay) {
  // Facts section 1.2: procedure, id of 24 characters, topics from either side.
  EXPECT_EQ(procedure_of("b@hostb.test"), "_dist.tunnel.b@hostb.test");
  std::array<uint8_t, 16> random;
  random.fill(0xff);
  const std::string id = make_tunnel_id(random);
  EXPECT_EQ(id, "/////////////////////w==");
  EXPECT_EQ(topics_of("x", Direction::out).send, "_dist.data.x.out");
  EXPECT_EQ(topics_of("x", Direction::out).receive, "_dist.data.x.in");
  EXPECT_EQ(topics_of("x", Direction::in).send, "_dist.data.x.in");
  EXPECT_EQ(topics_of("x", Direction::in).receive, "_dist.data.x.out");
}

TEST(Request, BodiesAreAsTheFactsSay) {
  // Field by field, and what is written can be read.
  EXPECT_EQ(request_body("a@h", "b@h").dump(), R"({"from_node":"a@h","target_node":"b@h"})");
  EXPECT_EQ(answer_body("x").dump(),
            R"({"recv_topic":"_dist.data.x.out","send_topic":"_dist.data.x.in","tunnel_id":"x"})");
  EXPECT_EQ(parse_request(request_body("a@h", "b@h")), "a@h");
  EXPECT_EQ(parse_answer(answer_body("x")), "x");
}

TEST(Request, NothingIsTakenForGranted) {
  // maps:get(from_node, Args, <<>>): the name may be missing; all else must be what it should be.
  EXPECT_EQ(parse_request(Json::object()), "");
  EXPECT_EQ(parse_request({{"from_node", std::string(max_node_name, 'x')}}), std::string(max_node_name, 'x'));
  for (const Json& args : {Json(), Json(1), Json("a@h"), Json::array({"a@h"}), Json{{"from_node", nullptr}},
                           Json{{"from_node", std::string(max_node_name + 1, 'x')}}, Json{{"from_node", "a\x1b[2J"}},
                           Json{{"from_node", Json::binary({1, 2})}}}) {
    EXPECT_FALSE(parse_request(args)) << args;
  }
}

TEST(Request, AnswersAreChecked) {
  // An id of a reasonable length, or the peer's own words, shortened.
  EXPECT_EQ(parse_answer({{"tunnel_id", std::string(max_tunnel_id, 'x')}}), std::string(max_tunnel_id, 'x'));
  EXPECT_EQ(parse_answer({{"error", "no_mesh_client"}}).error(), "no_mesh_client");
  EXPECT_EQ(parse_answer({{"error", std::string(1000, 'x')}}).error(), std::string(200, 'x') + "...");
  for (const Json& answer : {Json(), Json(1), Json::object(), Json::array(), Json{{"tunnel_id", 7}},
                             Json{{"tunnel_id", ""}}, Json{{"tunnel_id", std::string(max_tunnel_id + 1, 'x')}},
                             Json{{"tunnel_id", "a\nb"}}, Json{{"error", 5}}, Json{{"error", std::string("\0", 1)}}}) {
    EXPECT_EQ(parse_answer(answer).error(), "unexpected_result") << answer;
  }
}

}  // namespace
}  // namespace distlab::tunnel
