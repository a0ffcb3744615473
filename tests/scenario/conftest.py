import sys
from pathlib import Path

# The tests' own scenarios are a plain module beside them.
sys.path.insert(0, str(Path(__file__).parent))
