// C++'s own ways to memory: new, new of an alignment, containers, threads that free what others
// made, and a fork. Prints "ok".

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

struct alignas(4096) Page {
  unsigned char bytes[4096];
};

static void expect(bool condition, const char *what) {
  if (condition) return;
  std::printf("expected %s\n", what);
  std::fflush(stdout);
  std::_Exit(1);
}

static bool is_aligned(const void *pointer, std::uintptr_t align) {
  return reinterpret_cast<std::uintptr_t>(pointer) % align == 0;
}

int main() {
  std::vector<std::uint64_t> grown;
  for (std::uint64_t value = 0; value < (1u << 20); value++) grown.push_back(value * value);
  for (std::uint64_t value = 0; value < grown.size(); value++)
    expect(grown[value] == value * value, "a vector that kept its elements");

  auto pages = std::make_unique<Page[]>(100);
  expect(is_aligned(pages.get(), 4096), "pages at their alignment");
  void *aligned = ::operator new(1 << 20, std::align_val_t(1 << 16));
  expect(is_aligned(aligned, 1 << 16), "an aligned block");
  ::operator delete(aligned, std::align_val_t(1 << 16));

  try {
    // The compiler may leave out what nobody looks at.
    volatile std::size_t bytes = SIZE_MAX / 4;
    void *volatile block = ::operator new(bytes);
    expect(block == nullptr, "bad_alloc");
  } catch (const std::bad_alloc &) {
  }

  std::vector<std::unique_ptr<std::vector<int>>> made(64);
  std::vector<std::thread> makers;
  for (std::size_t at = 0; at < 8; at++)
    makers.emplace_back([&made, at] {
      for (std::size_t index = at; index < made.size(); index += 8)
        made[index] = std::make_unique<std::vector<int>>(50000, static_cast<int>(index));
    });
  for (auto &maker : makers) maker.join();
  for (std::size_t index = 0; index < made.size(); index++)
    expect(made[index]->back() == static_cast<int>(index), "what a thread made");
  std::thread([&made] { made.clear(); }).join();

  const pid_t child = fork();
  if (child == 0) {
    std::vector<int> own(100000, 7);
    std::_Exit(own.back() == 7 && grown[3] == 9 ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  expect(status == 0, "a child with its memory");
  std::puts("ok");
}
