"""Everything that can go wrong, in one tree. `from chasqui.errors import …` gives each of them.

ChasquiError
├── Rejected            this input will never work: say why, go on with the rest (action "reject")
│   ├── Unreadable          vanished, no permission, not a regular file
│   ├── EmptyFile           zero bytes
│   ├── NotMedia            text, image, archive … whatever its name says
│   ├── IsReference         a playlist or manifest that points elsewhere; never followed
│   ├── NoAudio             media, but without a sound stream
│   ├── Damaged             media, but nothing usable could be decoded
│   ├── TooShort            less than a second of sound
│   ├── OnlySilence         nothing to hear
│   ├── TooSlow             decoding went past its time limit
│   ├── EmptySource         a folder or bucket without a single file in it
│   └── BadSound            samples that nothing can be measured on: none, too few, or not numbers
├── TryAgain            the world was in the way, the input is fine (action "retry")
│   ├── DiskFull
│   ├── StoreBusy
│   ├── UploadBusy          somebody is sending to it already
│   ├── ServerAway          a server of ours does not answer us
│   ├── Garbled             what arrived is not what was sent
│   ├── CatalogAway         the database of accounts and jobs does not answer
│   ├── WorkerLost          a process that worked on a recording was ended, also at the second attempt
│   ├── ServiceDown         a service is away, busy or at its limit, also after several attempts
│   ├── RecogniserLost      a recogniser hung and was stopped, or ended by itself
│   ├── LinkAway            a server elsewhere does not answer, or stopped in the middle
│   ├── ObjectChanged       an object of a bucket that is another one at every attempt
│   └── BadCopy             what arrived of an object is not what the bucket says it holds
├── NotWritable         the output folder or the store refuses us (action "reject")
├── BadConfig           an option or setting that makes no sense (action "reject")
│   ├── NotInstalled        a part that needs a package which is not there
│   ├── NoServer            an address at which something else answers
│   ├── CatalogNewer        a database of a newer Chasqui
│   ├── BadModel            a model file that is missing, damaged, or made for something else
│   │   └── ModelAbsent         a model that is known but not on this machine, and could not be fetched
│   ├── BadTable            the table of facts beside the recordings of a dataset cannot be read
│   ├── NoRecogniser        a recogniser that does not exist, or whose package is not installed
│   ├── NoDiarizer          what was to tell voices apart is not installed, or has no model
│   ├── WrongLanguage       a recogniser was asked for a language it does not know
│   ├── KeyRefused          a service wants another key, or another account
│   ├── WrongKeys           a bucket's server does not take our keys, or they may not do that
│   ├── KeysExpired         they were good once
│   ├── NoBucket            no bucket of that name
│   └── BadTraining         recordings or measurements that no model can be learnt from
│       ├── NoSpeech            no recording of speech that can be used
│       └── OneSpeaker          nobody could be held out
├── NotAllowed          an account asks for what it may not have (action "reject")
│   ├── NotSignedIn         nobody, or not any more
│   ├── SignInRefused       wrong address, password or code; which of them is not said
│   ├── AccountLocked       too many wrong tries
│   ├── SecondFactorNeeded  right so far; a code is wanted
│   ├── SecondFactorMissing who changes other people's accounts must have one
│   ├── TooManyTries        from one place, whoever it was that was tried
│   ├── LinkSpent           an invitation that was used, or is too old
│   ├── SchoolClosed        an account of a school that was closed
│   ├── LastOfRole          nobody else could give the role back, or let anybody in
│   └── UnknownClass        no class has that code
├── BadAccount          what an account shall be made of makes no sense (action "reject")
│   ├── WeakPassword        too short, or the first thing that anybody would try
│   ├── NameTaken           somebody has that name or address
│   └── UnknownScope        a permission that does not exist
├── BadUpload           a file on its way in that cannot go on (action "reject")
│   ├── TooLarge            more than one file may have
│   ├── NoRoom              more than the school has left
│   ├── WrongPlace          a piece that does not follow the one before
│   ├── BadPiece            a piece that does not have the checksum that came with it
│   └── UploadOver          complete, ended or too old
├── ForbiddenAddress    a link that does not lead to a public address (action "reject")
├── BadLink             a link behind which nothing lies that can be taken (action "reject")
│   └── BadFeed             a feed that cannot be read
├── NotMadeYet          a lesson that nothing can be heard of yet (action "reject")
├── NothingToRetry      work that did not fail, or has nothing to work on any more (action "reject")
├── OtherRequest        an idempotency key that was used for something else (action "reject")
├── UnknownThing        a lesson, job, class … that is not there for this account (action "reject")
├── ServerSaid          a server refuses for a reason that this Chasqui does not know (action "reject")
├── JobCancelled        somebody cancelled the work that we follow (action "reject")
├── GaveUp              a stage whose workers died over and over (action "reject")
├── BadDataset          a folder that is no dataset, or not the one that was expected (action "reject")
│   └── NewerDataset        a dataset of a newer Chasqui
├── NotReady            a stage was asked for before the stages it needs (action "reject")
├── UnknownLesson       no recording of that name or id in the store (action "reject")
│   └── Ambiguous           several of that name
├── BadAnswer           a service answered with something that is no transcript (action "degrade")
├── BadCaptions         a file that cannot be read as captions (action "degrade")
│   └── CaptionsMisfit      captions of another recording, or of none
├── Defect              our own mistake: an exception nobody expected (action "reject")
└── PromiseBroken       the published bytes do not keep what they promise; nothing was published (action "reject")

Each class carries an exit code for the command line and the key of its message in the word catalogues (`words/`);
each instance carries its evidence as keyword arguments, which fill that message. `str(error)` is the English text.
"""

from __future__ import annotations

from chasqui.errors.base import *
from chasqui.errors.buckets import *
from chasqui.errors.client import *
from chasqui.errors.datasets import *
from chasqui.errors.links import *
from chasqui.errors.people import *
from chasqui.errors.rows import *
from chasqui.errors.settings import *
from chasqui.errors.sound import *
from chasqui.errors.uploads import *
from chasqui.errors.words import *
from chasqui.errors.world import *
