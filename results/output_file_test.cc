#include "results/output_file.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "results/testing/temp_dir.h"

namespace distlab::results {
namespace {

namespace fs = std::filesystem;

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string why_not(const StoreResult<void>& result) {
  return result ? "" : result.error().message;
}

// A file is written whole or not at all, in folders that are made for it, and nothing is left beside it.
TEST(OutputFile, IsWrittenWhole) {
  TempDir dir;
  const std::string path = dir / "new/folder/x.html";
  EXPECT_TRUE(can_write(path));
  EXPECT_FALSE(fs::exists(dir / "new")) << "asking makes nothing";
  ASSERT_TRUE(write_file(path, "one, the longer"));
  ASSERT_TRUE(write_file(path, "two"));
  EXPECT_EQ(content(path), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(dir / "new/folder"), {}), 1);
}

// What cannot be written is one line with its reason, the same beforehand as when it is tried.
TEST(OutputFile, SaysWhyNot) {
  TempDir dir;
  ASSERT_TRUE(write_file(dir / "file", "x"));
  fs::create_directory(dir / "folder");
  for (const auto& [path, reason] : {std::pair{dir / "file/x.html", "Not a directory"},
                                     {dir / "file/deeper/x.html", "Not a directory"},
                                     {dir / "folder", "Is a directory"}}) {
    const std::string expected = path + ": cannot write: " + reason;
    EXPECT_EQ(why_not(can_write(path)), expected);
    EXPECT_EQ(why_not(write_file(path, "y")), expected);
  }
  EXPECT_EQ(content(dir / "file"), "x");
  EXPECT_EQ(std::distance(fs::directory_iterator(dir.path()), {}), 2);
}

// A pipe gets the text and stays a pipe; so does a device, of which /dev/null would be the dearest to lose.
TEST(OutputFile, WritesThroughPipes) {
  TempDir dir;
  const std::string pipe = dir / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_TRUE(can_write(pipe));
  std::string read;
  std::thread reader([&] { read = content(pipe); });
  EXPECT_TRUE(write_file(pipe, "through"));
  reader.join();
  EXPECT_EQ(read, "through");
  EXPECT_TRUE(fs::is_fifo(pipe));
}

// A link stays a link; the file it names gets the text, also when that is not there yet.
TEST(OutputFile, WritesThroughLinks) {
  TempDir dir;
  fs::create_symlink("target", dir / "link");
  for (const std::string text : {"one", "two"}) {
    EXPECT_TRUE(can_write(dir / "link"));
    ASSERT_TRUE(write_file(dir / "link", text));
    EXPECT_EQ(content(dir / "target"), text);
  }
  EXPECT_TRUE(fs::is_symlink(dir / "link"));
}

}  // namespace
}  // namespace distlab::results
