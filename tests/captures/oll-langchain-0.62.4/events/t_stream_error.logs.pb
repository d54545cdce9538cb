
Ù
É
"
telemetry.sdk.language
python
%
telemetry.sdk.name
opentelemetry
!
telemetry.sdk.version
1.45.2
=
service.instance.id&
$34743976-1206-4e0a-a7ec-24ccaeace300

service.name

capturesŠ
1
'opentelemetry.instrumentation.langchain0.62.4t*-2+
)
content
You are a helpful assistant.2#
gen_ai.provider.name
	langchainYìïƒóƒêbgen_ai.system.message_*2

content
	STREAMERR2#
gen_ai.provider.name
	langchainYƒóƒêbgen_ai.user.message