// What `old.so` and `new.so` here are made from, with -D_GLIBCXX_USE_CXX11_ABI=0 and 1: a library that wants two
// functions of TensorFlow, as a custom op does; one of them passes strings. It is linked against a library that has
// nothing but these two and is called libtensorflow_framework.so.2:
//   g++ -shared -fPIC -Os -fno-exceptions -fno-asynchronous-unwind-tables op.cc -L. -l:libtensorflow_framework.so.2 \
//       -s -Wl,--build-id=none -Wl,-z,noseparate-code
#include <string>
namespace tensorflow {
std::string Name(const std::string& text);
void Number(int number);
}
std::string text() { tensorflow::Number(1); return tensorflow::Name("a"); }
